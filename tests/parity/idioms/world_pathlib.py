from pathlib import Path

folder = Path("data")
folder.mkdir()
(folder / "a.txt").write_text("é", encoding="utf-8")
print([p.name for p in folder.iterdir()], (folder / "a.txt").read_bytes(), Path("a/b.c").suffix)
