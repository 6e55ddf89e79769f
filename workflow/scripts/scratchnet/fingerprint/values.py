"""Values as text and as hashes: the same for the same value, whatever the order of its keys."""

import hashlib
import json


def canonical(value):
    """Return `value` as JSON text with sorted keys."""
    return json.dumps(value, sort_keys=True)


def digest(data):
    """Return the first 16 hexadecimal digits of the sha256 of `data`, text or bytes."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:16]


def short_hash(value):
    """Return eight hexadecimal digits that identify `value` (any JSON), for names of folders."""
    return digest(canonical(value))[:8]
