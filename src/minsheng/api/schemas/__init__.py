"""What goes in and out of `/api/v1`, as pydantic models: the OpenAPI document is made from them.

`sent` is what other systems send, `answers` what they are told, `fields` what both are made of. Input is strict: unknown fields,
NUL characters, unbounded numbers and moments without a zone are refused with 422.
"""
