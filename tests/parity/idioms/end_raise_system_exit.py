print("answer")
raise SystemExit
