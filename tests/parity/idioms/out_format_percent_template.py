from string import Template

print("{0:>6.2f}|{1:^7}|{2:+d}|{3:#x}|{4!r}".format(3.14159, "mid", 5, 255, "q"))
print("%05d %-5s| %e %g %%" % (42, "ab", 12345.678, 1e-7))
print(Template("$who is $what").substitute(who="she", what="here"))
