"""make_versions.py: prints pairs of versions and specifiers, and of versions, with what `packaging` says of them.

One JSON object with two lists. `specifiers`: {"specifier", "valid", "versions": [[version, valid, contained, public]]},
`public` being the answer without the version's local part. `equal`: [version, valid, bad, equal, public].
The seed is fixed: the same pairs each time.
"""

import json
import random

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

chance = random.Random(440)
PAIRS, PER_SPECIFIER, EQUAL = 10_000, 5, 10_000
NUMBERS = ["0", "1", "2", "3", "7", "10", "07", "007", "82", "2026"]


def one(*choices):
    return chance.choice(choices)


def some(part, percent):
    return part() if chance.randrange(100) < percent else ""


def number():
    return str(chance.choice(NUMBERS))


def release(least=1):
    return ".".join(number() for _ in range(chance.randrange(least, 5)))


def separator():
    return one("", "", ".", "-", "_")


def pre():
    word = one("a", "b", "rc", "alpha", "beta", "c", "pre", "preview", "A", "RC")
    return separator() + word + some(lambda: separator() + number(), 85)


def post():
    return one("-" + number(), separator() + one("post", "rev", "r", "POST") + some(lambda: separator() + number(), 85))


def dev():
    return separator() + one("dev", "DEV") + some(lambda: separator() + number(), 85)


def local():
    part = lambda: one("1", "01", "abc", "ABC", "a1", "ubuntu", "cu121", "10")
    return "+" + part() + some(lambda: one(".", "-", "_") + part(), 50)


def version(locals=15, least=1):
    return (
        some(lambda: one("v", "V"), 5)
        + some(lambda: one("0", "1", "2") + "!", 12)
        + release(least)
        + some(pre, 25)
        + some(post, 20)
        + some(dev, 15)
        + some(local, locals)
    )


def huge():
    """Numbers that some implementations keep in 32 or 64 bits."""
    return one("1.", "1.0.", "20!1.", "1.0.dev", "1.0.post", "1.0rc") + one(
        "4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "20260324103900123456789"
    )


def near(text):
    """A version that differs little from another, often only in its spelling."""
    try:
        base = Version(text)
    except InvalidVersion:
        return text
    epoch = f"{base.epoch}!" if base.epoch else ""
    numbers = list(base.release)
    tail = str(base.public).removeprefix(epoch).removeprefix(".".join(map(str, numbers)))
    join = lambda numbers: ".".join(map(str, numbers))
    bumped = [*numbers[:-1], numbers[-1] + 1]
    lowered = [*numbers[:-1], max(numbers[-1] - 1, 0)]
    plain = epoch + join(numbers)
    return chance.choice(
        [
            text,
            str(base),
            str(base.public),
            f"{base.public}{local()}",
            f"{base.public}{local()}",
            f"{epoch}{join([*numbers, 0])}{tail}",
            f"{epoch}{join([*numbers, 0, 0])}",
            f"{epoch}{join(numbers[:-1] or numbers)}{tail}",
            f"{epoch}{join([*numbers, 1])}",
            epoch + join(bumped),
            epoch + join(lowered),
            epoch + join(bumped) + dev(),
            plain,
            plain + pre(),
            plain + post(),
            plain + dev(),
            plain + local(),
            plain + pre() + dev(),
            plain + post() + dev(),
            f"1!{join(numbers)}{tail}",
            f"v{plain}{tail}",
            version(),
        ]
    )


def blank():
    return some(lambda: one(" ", "  ", "\t"), 25)


def clause(base):
    kind = chance.randrange(100)
    if kind < 18:
        wildcard = some(lambda: one("0", "1") + "!", 8) + release() + some(pre, 10) + some(post, 10)
        if chance.randrange(2):
            try:
                found = Version(base)
                wildcard = (f"{found.epoch}!" if found.epoch else "") + ".".join(map(str, found.release[:-1] or found.release))
            except InvalidVersion:
                pass
        return one("==", "!=") + blank() + wildcard + ".*"
    if kind < 33:
        return "~=" + blank() + version(locals=2, least=2)
    if kind < 42:
        return "===" + blank() + one(base, base, near(base), "1.0-custom", "main")
    return one("==", "!=", "<=", ">=", "<", ">") + blank() + base


def specifier():
    base = huge() if chance.randrange(100) < 2 else version()
    clauses = [clause(base)]
    while chance.randrange(100) < 30:
        clauses.append(clause(near(base)))
    text = (blank() + "," + blank()).join(clauses)
    return blank() + text + some(lambda: one(",", " ,", ", "), 2) + blank(), base


def parsed(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def contains(specifiers, text):
    return specifiers is not None and specifiers.contains(text, prereleases=True)


out, left = [], PAIRS
while left > 0:
    text, base = specifier()
    try:
        specifiers = SpecifierSet(text)
    except InvalidSpecifier:
        specifiers = None
    rows = []
    for _ in range(min(PER_SPECIFIER, left)):
        found = near(near(base)) if chance.randrange(4) else near(base)
        if chance.randrange(100) < 2:
            found = one("1.0-custom", "1.0_1", "1_0", "main-2", huge())
        version_ = parsed(found)
        public = contains(specifiers, version_.public) if version_ else False
        rows.append([found, version_ is not None, contains(specifiers, found), public])
    left -= len(rows)
    out.append({"specifier": text, "valid": specifiers is not None, "versions": rows})

equal = []
for _ in range(EQUAL):
    bad = huge() if chance.randrange(100) < 2 else version()
    found = near(bad) if chance.randrange(4) else near(near(bad))
    known, same = parsed(found), parsed(bad)
    public = known is not None and Version(known.public) == same
    equal.append([found, known is not None, bad, known == same, public])
print(json.dumps({"specifiers": out, "equal": equal}))
