"""JSON schemas of the contracts' classes, in words that every dialect reads the same way."""

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import TaggedUnionSchema

Document = dict[str, JsonValue]

COMPONENTS: Final = "#/components/schemas/{model}"


class _Plain(GenerateJsonSchema):
    """Without what AsyncAPI reads otherwise, and without titles that repeat the field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the hook's own signature
        return False

    def tagged_union_schema(self, schema: TaggedUnionSchema) -> JsonSchemaValue:
        # AsyncAPI's discriminator is a string. Each alternative says its kind as a constant anyway.
        union = super().tagged_union_schema(schema)
        union.pop("discriminator", None)
        return union


def definitions(
    classes: Iterable[type[BaseModel]], *, ref_template: str = COMPONENTS
) -> dict[str, Document]:
    """Return the schema of each class and of all they are made of, by name, as a reader accepts it.

    What never varies in a class (the ``kind`` of a choice) is required: its reader tells by it what came.
    """
    wanted = sorted(set(classes), key=lambda cls: cls.__name__)
    _, whole = models_json_schema(
        [(cls, "validation") for cls in wanted],
        ref_template=ref_template,
        schema_generator=_Plain,
    )
    found: dict[str, Document] = whole.get("$defs", {})
    return {name: _with_marks(found[name]) for name in sorted(found)}


def _with_marks(schema: Document) -> Document:
    fields, needed = schema.get("properties"), schema.get("required", [])
    if not isinstance(fields, dict) or not isinstance(needed, list):
        return schema
    marks = [name for name, one in fields.items() if isinstance(one, dict) and "const" in one]
    plain: Document = {
        name: {word: said for word, said in one.items() if word != "default"}
        if name in marks and isinstance(one, dict)
        else one
        for name, one in fields.items()
    }
    required = [name for name in plain if name in needed or name in marks]
    return {**schema, "properties": plain, **({"required": [*required]} if required else {})}
