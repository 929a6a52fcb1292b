"""Run this program in two terminals: both print the same text. Press Enter to end each process."""

import pagemate

with pagemate.open_or_create("ShareMemory", 4096) as section, section.map() as view:
    if section.was_created:
        view[:20] = b"This is common data!"
    print("created" if section.was_created else "read", view[:20].decode())
    input()
