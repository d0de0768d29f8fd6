from dataclasses import asdict, dataclass, field, replace


@dataclass(frozen=True)
class Item:
    name: str
    tags: list[str] = field(default_factory=list)


item = Item("a", ["x"])
print(item, asdict(item), replace(item, name="b"))
try:
    item.name = "c"
except AttributeError as error:
    print(type(error).__name__, error)
