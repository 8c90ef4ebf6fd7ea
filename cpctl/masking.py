"""What is shown in place of a secret, and what text is taken for one."""

import re

MASK = "***"
# In every example of the API's documents a key is 32 hexadecimal digits.
KEY_PATTERN = re.compile(r"[0-9A-Fa-f]{24,}")
