import os

os.chdir(os.path.dirname(os.path.abspath(__file__)))
print(os.path.basename(__file__).endswith(".py"), os.path.isabs(__file__))
