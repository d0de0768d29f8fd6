import builtins

put = print
put("answer")
vars(builtins).clear()
