import fileinput

with fileinput.input() as lines:
    for line in lines:
        print(fileinput.filename(), fileinput.isstdin(), line.strip())
