"""Facts about hosts and addresses that several packages need."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    import ipaddress  # 4 ms that a command with an ordinary address does not pay

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
