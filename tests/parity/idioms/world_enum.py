from enum import Enum, Flag, IntEnum, auto


class Colour(Enum):
    RED = auto()
    BLUE = auto()


class Right(Flag):
    READ = 1
    WRITE = 2


class Level(IntEnum):
    LOW = 1


print(list(Colour), Colour["RED"].value, Right.READ | Right.WRITE, Level.LOW + 1, repr(Level.LOW))
