"""Records of one report found, explained and laid over each other; nothing is removed.

``prepared`` -> ``blocking`` -> ``comparison`` -> ``rules``, ``score`` and ``vetoes`` -> ``deciding`` -> ``clusters`` ->
``duplicates``. Each name is the file it lives in.
"""
