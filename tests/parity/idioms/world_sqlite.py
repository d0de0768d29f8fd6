import sqlite3

db = sqlite3.connect("data.db")
db.execute("create table t (n integer)")
db.executemany("insert into t values (?)", [(n,) for n in range(5)])
db.commit()
print(db.execute("select sum(n), count(*) from t").fetchone())
