print("a\0b\x07\x1b[1mbold\x1b[0m\x7f")
