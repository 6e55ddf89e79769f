def title(path):
    """Return the first line of a book."""
    with open(path, encoding="utf-8") as book:
        return book.readline().strip()
