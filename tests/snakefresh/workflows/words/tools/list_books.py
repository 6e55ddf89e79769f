"""Print what the archive is about: `python list_books.py BOOK...`"""

import sys

from titles import title

for path in sys.argv[1:]:
    print("-", title(path))
