"""Which browser on which system a User-Agent names (RFC 9110, 10.1.5), in a few words that stay the same over updates.

What a browser says of itself is its own word: it tells apart what does not pretend, and proves nothing.
"""

BROWSERS = (  # the first that is named: every browser names those it descends from as well
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def family(user_agent: str) -> str:
    """*Firefox on Linux*; what is not known is said so, and is one family."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "Another browser")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "another system")
    return f"{browser} on {system}"
