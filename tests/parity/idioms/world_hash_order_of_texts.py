print(set("hello world"), {"one", "two", "three"}, hash("text"))
