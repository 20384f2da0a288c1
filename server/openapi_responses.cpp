// The shapes of /v1/responses in the OpenAPI document.
#include "server/routes.h"

namespace server {
namespace {

const char* kSchemas = R"({
  "InputPart": {"type": "object", "required": ["type", "text"], "properties": {"type": {"enum": ["input_text", "output_text"]}, "text": {"type": "string"}}},
  "InputContent": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/InputPart"}}]},
  "InputItem": {"oneOf": [
    {"type": "object", "required": ["role", "content"], "properties": {"type": {"const": "message"},
      "role": {"enum": ["user", "assistant", "system", "developer"]}, "content": {"$ref": "#/components/schemas/InputContent"}}},
    {"type": "object", "required": ["type", "call_id", "name", "arguments"], "properties": {"type": {"const": "function_call"},
      "call_id": {"type": "string", "minLength": 1}, "name": {"$ref": "#/components/schemas/ToolName"}, "arguments": {"type": "string"}}},
    {"type": "object", "required": ["type", "call_id", "output"], "properties": {"type": {"const": "function_call_output"},
      "call_id": {"type": "string", "minLength": 1}, "output": {"$ref": "#/components/schemas/InputContent"}}},
    {"type": "object", "required": ["type", "summary"], "properties": {"type": {"const": "reasoning"}, "summary": {"type": "array"}, "content": {"type": ["array", "null"]}}}]},
  "FunctionTool": {"type": "object", "required": ["type", "name"], "properties": {"type": {"const": "function"},
    "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"type": "string"}, "strict": {"type": ["boolean", "null"]},
    "parameters": {"type": ["object", "null"], "description": "a JSON Schema"}}},
  "TextFormat": {"oneOf": [
    {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object"]}}},
    {"type": "object", "required": ["type", "name", "schema"], "properties": {"type": {"const": "json_schema"}, "name": {"type": "string"},
      "strict": {"type": ["boolean", "null"]}, "schema": {"type": ["object", "boolean"], "not": {"const": false}, "description": "a JSON Schema"}}}]},
  "ResponsesRequest": {"type": "object", "required": ["model", "input"], "properties": {
    "model": {"type": "string", "description": "see GET /v1/models"},
    "input": {"oneOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/InputItem"}}]},
    "instructions": {"type": ["string", "null"], "description": "for this response alone"},
    "previous_response_id": {"type": ["string", "null"], "description": "of a stored response, from which this one goes on"},
    "store": {"type": ["boolean", "null"], "default": true}, "stream": {"type": ["boolean", "null"]},
    "metadata": {"type": ["object", "null"], "maxProperties": 16, "additionalProperties": {"type": "string", "maxLength": 512}},
    "tools": {"type": "array", "items": {"$ref": "#/components/schemas/FunctionTool"}},
    "tool_choice": {"oneOf": [{"enum": ["auto", "none", "required"]},
      {"type": "object", "required": ["type", "name"], "properties": {"type": {"const": "function"}, "name": {"type": "string"}}}]},
    "parallel_tool_calls": {"type": ["boolean", "null"]},
    "text": {"type": "object", "properties": {"format": {"$ref": "#/components/schemas/TextFormat"}, "verbosity": {"enum": ["low", "medium", "high"]}}},
    "reasoning": {"type": ["object", "null"], "properties": {"effort": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max", null]}, "summary": {"enum": ["auto", null]}}},
    "include": {"type": ["array", "null"], "items": {"const": "reasoning.encrypted_content"}},
    "truncation": {"enum": ["disabled", "auto", null], "description": "auto: of agents alone"},
    "max_output_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 16777216},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2}, "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer", "minimum": 0, "maximum": 1048576}, "min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": "number", "minimum": 0.01, "maximum": 10},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2}, "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "seed": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
    "logit_bias": {"type": "object", "propertyNames": {"pattern": "^[0-9]{1,9}$"}, "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
    "workspace": {"type": "string", "description": "of hearth/dev: as in /v0/dev/chat"}, "read_only": {"type": "boolean"}, "write_tier": {"$ref": "#/components/schemas/WriteTier"}}},
  "OutputItem": {"type": "object", "required": ["id", "type", "status"], "properties": {"id": {"type": "string"},
    "type": {"enum": ["message", "reasoning", "function_call"]}, "status": {"enum": ["in_progress", "completed", "incomplete"]}}},
  "Response": {"type": "object", "required": ["id", "object", "created_at", "status", "model", "output", "error", "incomplete_details", "usage", "metadata", "store"], "properties": {
    "id": {"type": "string"}, "object": {"const": "response"}, "created_at": {"type": "integer"}, "model": {"type": "string"},
    "status": {"enum": ["in_progress", "completed", "incomplete", "failed"]}, "output": {"type": "array", "items": {"$ref": "#/components/schemas/OutputItem"}},
    "error": {"type": ["object", "null"]}, "incomplete_details": {"type": ["object", "null"]}, "metadata": {"type": "object"}, "store": {"type": "boolean"},
    "usage": {"type": ["object", "null"], "properties": {"input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"},
      "input_tokens_details": {"type": "object", "properties": {"cached_tokens": {"type": "integer"}}}}},
    "hearth": {"type": "object", "description": "of an agent: run_id, conversation_id, state, tools_used, tools, error"}}},
  "DeletedResponse": {"type": "object", "required": ["id", "object", "deleted"], "properties": {"id": {"type": "string"}, "object": {"const": "response"}, "deleted": {"const": true}}}
})";

}  // namespace

const base::Json& openapi_responses() {
    static const base::Json schemas = base::Json::parse(kSchemas);
    return schemas;
}

}  // namespace server
