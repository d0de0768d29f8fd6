raise SystemExit(0, "why")
