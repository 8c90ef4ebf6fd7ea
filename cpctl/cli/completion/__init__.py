"""Shell completion: the scripts, and the candidates that depend on this machine."""
