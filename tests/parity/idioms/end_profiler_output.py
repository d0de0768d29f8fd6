import cProfile
import io
import pstats

profile = cProfile.Profile()
profile.runcall(sorted, [3, 1, 2])
text = io.StringIO()
pstats.Stats(profile, stream=text).print_stats()
print("function calls" in text.getvalue())
