"""The kinds of index that FAISS has, made alike: how each is trained, searched, changed and written."""
