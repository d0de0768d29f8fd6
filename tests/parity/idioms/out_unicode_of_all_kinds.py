print("é", "漢字", "🎈", "e\u0301", "\u202e", "\u00a0|", "ﬀ".upper(), "ß".casefold())
