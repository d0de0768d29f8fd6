print("before")
raise ValueError("\ud800\udcff é")
