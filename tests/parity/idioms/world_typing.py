from typing import Generic, NamedTuple, Optional, Protocol, TypeVar, get_type_hints

T = TypeVar("T")


class Pair(NamedTuple):
    left: "Optional[Pair]"
    value: int = 0


class Box(Generic[T]):
    item: "list[Pair]"


class Sized(Protocol):
    def size(self) -> int: ...


print(Pair(None), get_type_hints(Pair), get_type_hints(Box), Box[int])
