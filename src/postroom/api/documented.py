"""What the API says of itself as OpenAPI: every operation may also answer with a problem document, of one schema."""

from typing import Any

from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema
from pydantic import ConfigDict, Field

from .problems import TYPE

OTHERWISE = "Anything else, as RFC 9457 problem details: what is wrong, and where; nothing was changed."


class Wrong(Schema):
    """One thing that is wrong, at its place."""

    where: str = Field(description="The parameter, with its number before it in a list: 3.address")
    what: str


class ProblemDetails(Schema):
    """Why a request was not done (RFC 9457)."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(description="Which sort of problem, the same each time it happens")
    title: str = Field(description="The same in words")
    status: int = Field(description="The status of this answer")
    detail: str = Field(description="What it is this time")
    errors: list[Wrong] | None = Field(default=None, description="Everything that is wrong, each at its place")


class Documented(NinjaAPI):
    """The library's, with its errors in its document."""

    def get_openapi_schema(self, **how: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**how)
        template = "#/components/schemas/{model}"
        problem = ProblemDetails.model_json_schema(ref_template=template)
        schema["components"]["schemas"] |= {**problem.pop("$defs"), "ProblemDetails": problem}
        content = {TYPE: {"schema": {"$ref": template.format(model="ProblemDetails")}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"]["default"] = {"description": OTHERWISE, "content": content}
        return schema
