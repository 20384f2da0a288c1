// The shapes that the OpenAPI document refers to; openapi.cpp joins them to the routes.
#include "server/routes.h"

namespace server {
namespace {

const char* kRequests = R"({
  "TextPart": {"type": "object", "required": ["type", "text"], "properties": {"type": {"const": "text"}, "text": {"type": "string"}}},
  "Content": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/TextPart"}}]},
  "ToolCall": {"type": "object", "required": ["id", "type", "function"], "properties": {
    "id": {"type": "string", "minLength": 1}, "type": {"const": "function"},
    "function": {"type": "object", "required": ["name", "arguments"], "properties": {
      "name": {"$ref": "#/components/schemas/ToolName"}, "arguments": {"type": "string", "description": "JSON, as the model wrote it"}}}}},
  "ToolName": {"type": "string", "pattern": "^[A-Za-z0-9_.:/-]{1,128}$"},
  "Message": {"oneOf": [
    {"type": "object", "required": ["role", "content"], "properties": {
      "role": {"enum": ["system", "developer", "user"]}, "content": {"$ref": "#/components/schemas/Content"}, "name": {"type": "string"}}},
    {"type": "object", "required": ["role"], "properties": {
      "role": {"const": "assistant"}, "content": {"oneOf": [{"$ref": "#/components/schemas/Content"}, {"type": "null"}]}, "name": {"type": "string"},
      "reasoning_content": {"type": ["string", "null"]},
      "tool_calls": {"type": "array", "items": {"$ref": "#/components/schemas/ToolCall"}}}},
    {"type": "object", "required": ["role", "content", "tool_call_id"], "properties": {
      "role": {"const": "tool"}, "content": {"$ref": "#/components/schemas/Content"}, "tool_call_id": {"type": "string", "minLength": 1}, "name": {"type": "string"}}}]},
  "Tool": {"type": "object", "required": ["type", "function"], "properties": {"type": {"const": "function"},
    "function": {"type": "object", "required": ["name"], "properties": {
      "name": {"$ref": "#/components/schemas/ToolName"}, "description": {"type": "string"}, "strict": {"type": ["boolean", "null"]},
      "parameters": {"type": "object", "description": "a JSON Schema"}}}}},
  "ToolChoice": {"oneOf": [{"enum": ["auto", "none", "required"]},
    {"type": "object", "required": ["type", "function"], "properties": {"type": {"const": "function"},
      "function": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}]},
  "ResponseFormat": {"oneOf": [
    {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object"]}}},
    {"type": "object", "required": ["type", "json_schema"], "properties": {"type": {"const": "json_schema"},
      "json_schema": {"type": "object", "required": ["schema"], "properties": {
        "name": {"type": "string"}, "strict": {"type": ["boolean", "null"]}, "schema": {"type": ["object", "boolean"], "not": {"const": false}, "description": "a JSON Schema"}}}}}]},
  "AnswerSchema": {"oneOf": [{"type": "object"}, {"const": true}, {"type": "string"}, {"type": "null"}], "description": "a JSON Schema, or its text"},
  "AnswerRegex": {"type": ["string", "null"], "minLength": 1, "description": "a regular expression that all of the answer matches"},
  "AnswerGrammar": {"type": ["string", "null"], "minLength": 1, "description": "rules in GBNF; the one called root is the answer"},
  "AnswerChoice": {"type": ["array", "null"], "minItems": 1, "items": {"type": "string", "minLength": 1}, "description": "the answers that there are"},
  "StructuredOutputs": {"type": ["object", "null"], "properties": {"json": {"$ref": "#/components/schemas/AnswerSchema"}, "json_object": {"type": ["boolean", "null"]},
    "regex": {"$ref": "#/components/schemas/AnswerRegex"}, "grammar": {"$ref": "#/components/schemas/AnswerGrammar"}, "choice": {"$ref": "#/components/schemas/AnswerChoice"}}},
  "ChatCompletionRequest": {"type": "object", "required": ["model", "messages"], "properties": {
    "model": {"type": "string", "description": "see GET /v1/models"},
    "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
    "stream": {"type": "boolean"}, "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2}, "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer", "minimum": 0, "maximum": 1048576}, "min_p": {"type": "number", "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": "number", "minimum": 0.01, "maximum": 10},
    "presence_penalty": {"type": "number", "minimum": -2, "maximum": 2}, "frequency_penalty": {"type": "number", "minimum": -2, "maximum": 2},
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": 16777216}, "max_completion_tokens": {"type": "integer", "minimum": 1, "maximum": 16777216},
    "seed": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
    "stop": {"oneOf": [{"type": "string", "minLength": 1}, {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1}}]},
    "logit_bias": {"type": "object", "propertyNames": {"pattern": "^[0-9]{1,9}$"}, "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
    "n": {"const": 1},
    "tools": {"type": "array", "items": {"$ref": "#/components/schemas/Tool"}}, "tool_choice": {"$ref": "#/components/schemas/ToolChoice"},
    "parallel_tool_calls": {"type": "boolean"}, "response_format": {"$ref": "#/components/schemas/ResponseFormat"},
    "structured_outputs": {"$ref": "#/components/schemas/StructuredOutputs"}, "guided_json": {"$ref": "#/components/schemas/AnswerSchema"},
    "guided_regex": {"$ref": "#/components/schemas/AnswerRegex"}, "guided_grammar": {"$ref": "#/components/schemas/AnswerGrammar"},
    "guided_choice": {"$ref": "#/components/schemas/AnswerChoice"}, "grammar": {"$ref": "#/components/schemas/AnswerGrammar"}, "json_schema": {"$ref": "#/components/schemas/AnswerSchema"},
    "reasoning_effort": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max"]},
    "enable_thinking": {"type": "boolean"}, "include_reasoning": {"type": "boolean"},
    "workspace": {"type": "string", "description": "of hearth/dev: as in /v0/dev/chat"}, "read_only": {"type": "boolean"}, "write_tier": {"$ref": "#/components/schemas/WriteTier"},
    "prompts": {"$ref": "#/components/schemas/PromptVersions"}}},
  "WriteTier": {"enum": ["prompts", "skills", "code"], "default": "code", "description": "what a run in a folder may change: what lies in prompts/, that and what lies in skills/, or everything"},
  "PromptVersions": {"type": ["object", "null"], "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 2147483647},
    "description": "of agents, with the scope admin: versions to read in place of the live ones, as {\"recompose\": 3}"},
  "Tokens": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0, "maximum": 2147483647}},
  "EmbeddingRequest": {"type": "object", "required": ["model", "input"], "properties": {
    "model": {"type": "string", "description": "see GET /v1/models"},
    "input": {"oneOf": [{"type": "string", "minLength": 1}, {"$ref": "#/components/schemas/Tokens"},
      {"type": "array", "minItems": 1, "maxItems": 2048, "items": {"type": "string", "minLength": 1}},
      {"type": "array", "minItems": 1, "maxItems": 2048, "items": {"$ref": "#/components/schemas/Tokens"}}]},
    "encoding_format": {"enum": ["float", "base64"], "description": "base64: of little-endian 32-bit floats"},
    "dimensions": {"type": "integer", "minimum": 1, "maximum": 1048576, "description": "400 where the model's vectors have another width"},
    "truncate": {"type": "boolean", "description": "cut what is longer than the model's context; else it is refused"}, "user": {"type": "string"}}},
  "DevChatRequest": {"type": "object", "required": ["messages"], "properties": {
    "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
    "agent": {"type": "string", "default": "hearth/dev", "description": "one of the agents that GET /v1/models lists"},
    "conversation_id": {"type": ["string", "null"], "format": "uuid", "description": "of an earlier answer; then the new messages are enough"},
    "workspace": {"type": "string", "description": "the absolute path of the folder that the tools see"},
    "read_only": {"type": "boolean"}, "write_tier": {"$ref": "#/components/schemas/WriteTier"}, "stream": {"type": "boolean"}, "prompts": {"$ref": "#/components/schemas/PromptVersions"}}},
  "RunRequest": {"type": "object", "required": ["input"], "properties": {
    "agent": {"type": "string", "default": "hearth", "description": "one of the agents that GET /v1/models lists"},
    "input": {"oneOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}}]},
    "conversation": {"type": ["string", "null"], "format": "uuid", "description": "that goes on; without it the run has one of its own"},
    "thread": {"type": "object", "description": "how the thread over the conversation is from now on", "properties": {
      "rule": {"enum": ["queue", "steer", "interrupt", "refuse"], "description": "what becomes of a message that comes while a run works in it; of a new one queue"}, "label": {"type": "string", "maxLength": 200}}},
    "class": {"enum": ["fast", "normal", "heavy"], "description": "of hearth: how much it deserves; without it that is found out"},
    "budget": {"type": "object", "properties": {"output_tokens": {"type": "integer", "minimum": 1, "maximum": 16777216}, "seconds": {"type": "integer", "minimum": 1, "maximum": 86400}}},
    "tools": {"type": "array", "items": {"$ref": "#/components/schemas/Tool"}, "description": "that the client runs"},
    "metadata": {"type": "object", "maxProperties": 16, "additionalProperties": {"type": "string", "maxLength": 128}, "description": "the client's own, given back as it is"},
    "workspace": {"type": "string", "description": "as in /v0/dev/chat"}, "read_only": {"type": "boolean"}, "write_tier": {"$ref": "#/components/schemas/WriteTier"}}},
  "RunWords": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 16384}}},
  "RunFork": {"type": "object", "required": ["step"], "properties": {
    "step": {"oneOf": [{"type": "string", "format": "uuid"}, {"type": "integer", "minimum": 0}], "description": "the last one that both have: its id or position"},
    "text": {"type": "string", "maxLength": 16384, "description": "added to the new run, as by steer"}}},
  "DirectiveRequest": {"type": "object", "required": ["name", "text"], "properties": {
    "name": {"type": "string", "description": "a letter, then letters, digits and _"}, "text": {"type": "string", "minLength": 1, "maxLength": 500, "description": "one line"},
    "days": {"type": "integer", "minimum": 1, "maximum": 3650, "default": 90, "description": "until it expires"}}},
  "ScheduleRequest": {"type": "object", "required": ["when", "prompt"], "properties": {
    "when": {"type": "string", "minLength": 1, "maxLength": 200, "description": "in words of English or French, or a cron expression of five fields; what could mean two times is 400 with the code ambiguous"},
    "prompt": {"type": "string", "minLength": 1, "maxLength": 4000, "description": "what is to be done"}, "zone": {"type": "string", "description": "whose clock, such as Europe/Paris; default: the household's"},
    "agent": {"type": "string", "default": "hearth"}, "missed": {"enum": ["skip", "once", "all"], "default": "once", "description": "what becomes of times that passed while no server ran"},
    "silent": {"type": "boolean", "default": false, "description": "nothing is said where there is nothing to say"},
    "channel": {"type": "string", "description": "where the answer goes, such as telegram; default: it is kept with its run"}}},
  "KeyRequest": {"type": "object", "properties": {"label": {"type": "string"},
    "scopes": {"type": "array", "items": {"type": "string", "enum": ["chat", "dev", "admin"]}}}},
  "SessionRequest": {"oneOf": [
    {"type": "object", "required": ["link"], "properties": {"link": {"type": "string", "description": "what follows #link= in its address"}}},
    {"type": "object", "required": ["name", "password"], "properties": {"name": {"type": "string"}, "password": {"type": "string"}}}]},
  "PasswordRequest": {"type": "object", "required": ["password"], "properties": {"password": {"type": "string", "minLength": 10, "maxLength": 256},
    "current": {"type": ["string", "null"], "description": "where there is one; not within a quarter of an hour after a link was used"}}},
  "SignInLinkRequest": {"type": "object", "properties": {"person": {"type": ["string", "null"], "description": "a name or an id; without it yourself"}}},
  "PersonRequest": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 25}, "role": {"enum": ["member", "guest"], "default": "member"}}},
  "PersonChange": {"type": "object", "properties": {"replies": {"enum": ["full", "plain"]}, "effort": {"enum": ["auto", "normal", "heavy"]}, "tone": {"type": "string", "maxLength": 200},
    "language": {"enum": ["auto", "en", "fr", "de", "es", "it"], "description": "of what no model has written; auto: as the channel says"}}},
  "PairingRequest": {"type": "object", "required": ["code", "person"], "properties": {"code": {"type": "string", "maxLength": 100}, "person": {"type": "string", "maxLength": 100, "description": "a name or an id"}}},
  "PromptText": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 65536}}},
  "PromptRelease": {"type": "object", "required": ["version"], "properties": {"version": {"type": "integer", "minimum": 1, "maximum": 1000000000},
    "override": {"type": ["string", "null"], "maxLength": 250, "description": "why it may go live though nothing was measured; recorded"}}}
})";

const char* kAnswers = R"({
  "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["message", "type", "param", "code"], "properties": {
    "message": {"type": "string"}, "type": {"type": "string"}, "param": {"type": ["string", "null"]}, "code": {"type": ["string", "null"]}}}}},
  "Health": {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["ok", "degraded", "loading", "down", "disk_full"]}, "reason": {"type": "string"},
    "failing": {"type": "array", "items": {"type": "object", "required": ["alias", "backend", "error", "seconds_ago"]}}, "stage": {"type": "string"}, "percent": {"type": "integer", "minimum": 0, "maximum": 100},
    "backends": {"type": "object"}, "probes": {"type": "array", "items": {"type": "object"}}}},
  "LogEntries": {"type": "object", "required": ["entries"], "properties": {"entries": {"type": "array", "items": {"type": "object"}}}},
  "Model": {"type": "object", "required": ["id", "object", "created", "owned_by"], "properties": {
    "id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"}, "owned_by": {"type": "string"},
    "purpose": {"type": "string", "description": "of an agent"}, "scope": {"enum": ["home", "dev", "admin"], "description": "of an agent: whose tools it has; with dev it works in a folder"}}},
  "ModelList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}}},
  "Usage": {"type": "object", "required": ["prompt_tokens", "completion_tokens", "total_tokens"], "properties": {
    "prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"},
    "prompt_tokens_details": {"type": "object", "properties": {"cached_tokens": {"type": "integer"}}}}},
  "ChatCompletion": {"type": "object", "required": ["id", "object", "created", "model", "choices", "usage"], "properties": {
    "id": {"type": "string"}, "object": {"const": "chat.completion"}, "created": {"type": "integer"}, "model": {"type": "string"},
    "choices": {"type": "array", "items": {"type": "object", "required": ["index", "message", "finish_reason"], "properties": {
      "index": {"type": "integer"}, "message": {"$ref": "#/components/schemas/Message"}, "finish_reason": {"enum": ["stop", "length", "tool_calls"]}}}},
    "usage": {"$ref": "#/components/schemas/Usage"},
    "hearth": {"type": "object", "description": "of an agent: run_id, conversation_id, state, tools_used, error"}}},
  "EmbeddingList": {"type": "object", "required": ["object", "data", "model", "usage"], "properties": {
    "object": {"const": "list"}, "model": {"type": "string"},
    "data": {"type": "array", "items": {"type": "object", "required": ["object", "index", "embedding"], "properties": {
      "object": {"const": "embedding"}, "index": {"type": "integer"}, "embedding": {"oneOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]}}}},
    "usage": {"type": "object", "required": ["prompt_tokens", "total_tokens"], "properties": {"prompt_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}}}}},
  "DevChat": {"type": "object", "required": ["response", "tools_used", "run_id", "conversation_id", "state"], "properties": {
    "response": {"type": "string"}, "tools_used": {"type": "integer"}, "run_id": {"type": "string", "format": "uuid"},
    "conversation_id": {"type": "string", "format": "uuid"}, "state": {"type": "string"}, "model": {"type": "string"},
    "usage": {"type": "object"}, "error": {"type": "string"}}},
  "Run": {"type": "object", "required": ["id", "object", "conversation_id", "model", "status", "started"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "run"}, "conversation_id": {"type": "string", "format": "uuid"},
    "model": {"type": "string"}, "question": {"type": "string", "description": "the beginning of the message that it answers"},
    "status": {"enum": ["queued", "running", "interrupted", "waiting_person", "waiting_client", "answered", "partial", "cancelled", "refused", "unknown_effect", "no_backend", "failed"]},
    "error": {"type": "string"}, "usage": {"type": "object"}, "metadata": {"type": ["object", "null"]},
    "stop_asked": {"type": ["string", "null"], "description": "from then on none of its steps begins; where it is running long after, whoever works on it does not answer"},
    "forked_from": {"type": "object", "required": ["run", "step"], "properties": {"run": {"type": "string", "format": "uuid"}, "step": {"type": "string", "format": "uuid"}}},
    "joined": {"type": "boolean", "description": "the message went into this run, which worked already"},
    "urls": {"type": "object", "additionalProperties": {"type": "string"}},
    "started": {"type": "string"}, "finished": {"type": ["string", "null"]}}},
  "RunInput": {"type": "object", "required": ["id", "object", "run_id", "position", "sent"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "run.input"}, "run_id": {"type": "string", "format": "uuid"},
    "position": {"type": "integer"}, "sent": {"type": "string"}}},
  "Thread": {"type": "object", "required": ["id", "object", "conversation_id", "label", "rule", "state", "run_id", "depth", "parent", "budget", "created", "ends", "ended", "opening", "spoken"], "properties": {
    "id": {"type": "string", "format": "uuid", "description": "the conversation's"}, "object": {"const": "thread"}, "conversation_id": {"type": "string", "format": "uuid"}, "label": {"type": "string"},
    "rule": {"enum": ["queue", "steer", "interrupt", "refuse"]}, "state": {"enum": ["running", "idle", "ended", "cancelled"]},
    "run_id": {"type": ["string", "null"], "description": "the newest of its runs that have not ended"}, "depth": {"type": "integer"},
    "parent": {"type": ["object", "null"], "description": "of a thread that a run has spawned: thread, run and call"}, "budget": {"type": ["object", "null"]},
    "created": {"type": "string"}, "ends": {"type": ["string", "null"]}, "ended": {"type": ["string", "null"]},
    "opening": {"type": "string", "description": "the beginning of its first message"}, "spoken": {"type": "string", "description": "when its newest message came"},
    "messages": {"type": "array", "description": "of its conversation, each with the run that it is of"},
    "runs": {"type": "array", "items": {"$ref": "#/components/schemas/Run"}}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Thread"}},
    "urls": {"type": "object", "additionalProperties": {"type": "string"}}}},
  "ThreadList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Thread"}}}},
  "StoppingThread": {"allOf": [{"$ref": "#/components/schemas/Thread"}, {"type": "object", "required": ["stopping"], "properties": {"stopping": {"type": "boolean"}}}]},
  "RunList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Run"}}}},
  "RunTrace": {"allOf": [{"$ref": "#/components/schemas/Run"}, {"type": "object", "required": ["messages", "steps", "spans", "events", "chain"], "properties": {
    "turn": {"type": "object"}, "answer": {"type": "string"}, "approval": {"oneOf": [{"$ref": "#/components/schemas/Approval"}, {"type": "null"}]},
    "inputs": {"type": "array", "description": "what people added, and whether the run has read it"}, "messages": {"type": "array"}, "steps": {"type": "array"}, "spans": {"type": "array"}, "events": {"type": "array"},
    "chain": {"type": "string", "description": "whole, or what was changed"}}}]},
  "StoppingRun": {"allOf": [{"$ref": "#/components/schemas/Run"}, {"type": "object", "required": ["stopping"], "properties": {"stopping": {"type": "boolean"}}}]},
  "ReplayRequest": {"type": "object", "required": ["span_id"], "properties": {
    "span_id": {"type": "string", "format": "uuid", "description": "of a call of a model, kind \"model\" in the run's spans"},
    "model": {"type": ["string", "null"], "description": "asks this one; without it the one that the run asked"},
    "prompt": {"type": ["string", "null"], "description": "another version of a prompt: NAME@VERSION, the version a number or draft, live, previous, shipped"}}},
  "Replay": {"type": "object", "required": ["object", "run_id", "span_id", "purpose", "was", "now", "same", "places"], "properties": {"object": {"const": "replay"},
    "run_id": {"type": "string", "format": "uuid"}, "span_id": {"type": "string", "format": "uuid"}, "purpose": {"type": "string"},
    "was": {"type": "object", "description": "message, finish, usage, backend, model, duration_us; or error"},
    "now": {"type": ["object", "null"], "description": "the same; null when the prompt was not part of the call"},
    "same": {"type": "boolean", "description": "text and tool calls"}, "places": {"type": "integer", "description": "how often the call holds the prompt"}}},
  "Approval": {"type": "object", "required": ["id", "object", "run_id", "tool", "arguments", "rule", "reason", "state", "asked", "expires"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "approval"}, "run_id": {"type": "string", "format": "uuid"},
    "tool": {"type": "string"}, "arguments": {"description": "what the tool would be called with"},
    "rule": {"type": "string", "description": "the policy's, that asks"}, "reason": {"type": "string"},
    "state": {"enum": ["open", "granted", "denied", "expired", "used"]},
    "asked": {"type": "string"}, "expires": {"type": "string"},
    "decided": {"type": ["object", "null"], "description": "by whom (by), and over which way in (via): socket, loopback, key: and how it begins, or time"},
    "run_status": {"type": "string", "description": "of the run that asked, where the approval alone is asked for"}}},
  "ApprovalList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Approval"}}}},
  "ApprovalDecision": {"type": "object", "required": ["decision"], "properties": {"decision": {"enum": ["grant", "deny"]}}},
  "UsageReport": {"type": "object", "required": ["object", "days", "calls"], "properties": {"object": {"const": "usage"},
    "days": {"type": "array", "items": {"type": "object"}}, "calls": {"type": "array", "items": {"type": "object"}},
    "shares": {"type": "array", "items": {"type": "object"}}, "shadows": {"type": "array", "items": {"type": "object"}}, "budgets": {"type": "array", "items": {"type": "object"}}}},
  "ModelState": {"type": "object", "required": ["object", "id", "state"], "properties": {"object": {"const": "model.state"}, "id": {"type": "string"}, "state": {"enum": ["loading", "ready", "draining", "unloaded", "down"]}}},
  "Drill": {"type": "object", "required": ["object", "backend", "traffic", "worked", "failed", "failure"], "properties": {"object": {"const": "drill"},
    "backend": {"type": "string"}, "traffic": {"enum": ["plain", "streamed", "tools"]}, "worked": {"type": ["string", "null"], "description": "when it last did; null: never"},
    "failed": {"type": ["string", "null"], "description": "when a drill last failed"}, "failure": {"type": "string", "description": "of that drill, where none worked since"}}},
  "DrillList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Drill"}}}},
  "DrillRequest": {"type": "object", "required": ["backend", "traffic"], "properties": {"backend": {"type": "string"}, "traffic": {"enum": ["plain", "streamed", "tools"]}}},
  "NightlyRequest": {"type": "object", "properties": {"tenant_id": {"type": "string", "description": "yours, which it is without it"},
    "day": {"type": "string", "format": "date", "description": "whose batch: it is of the days before; default: today's"}}},
  "NightlyBatch": {"type": "object", "required": ["batch_id", "run_id", "daily", "weekly", "pipeline", "warmup"], "properties": {"batch_id": {"type": "string", "pattern": "^nightly-\\d{4}-\\d{2}-\\d{2}$"},
    "run_id": {"type": "string", "format": "uuid"},
    "daily": {"type": "object", "required": ["events_processed", "node_count", "tenant_count"], "properties": {"events_processed": {"type": "integer"}, "node_count": {"type": "integer"}, "tenant_count": {"type": "integer"}}},
    "weekly": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
    "pipeline": {"type": "object", "required": ["status", "nodes_analyzed"], "properties": {"status": {"enum": ["ok", "insufficient_data"]}, "nodes_analyzed": {"type": "integer"}}},
    "warmup": {"type": "object", "required": ["samples", "nodes"], "properties": {"samples": {"type": "integer"}, "nodes": {"type": "integer"}}}}},
  "NodeWeightAdjustment": {"type": "object", "required": ["node", "gate", "days", "events", "drift_score", "charts", "acting", "label", "distance", "weight", "reason", "baseline", "cost"], "properties": {
    "node": {"type": "string"}, "gate": {"enum": ["insufficient_data", "advisory", "half", "full"]}, "days": {"type": "integer"}, "events": {"type": "integer"},
    "drift_score": {"type": "number", "minimum": 0, "maximum": 3, "description": "above 1: the node drifts"}, "charts": {"type": "object", "description": "level, spread and errors, each over its limit"},
    "acting": {"type": "boolean"}, "label": {"enum": ["unknown", "normal", "degraded", "improved", "outlier"]}, "distance": {"type": ["number", "null"]},
    "weight": {"type": "number", "minimum": 0, "maximum": 1, "description": "by which its cost grows at night"}, "reason": {"type": "string", "description": "why there is no score; empty: there is one"},
    "baseline": {"type": "object"}, "cost": {"type": "object", "required": ["seconds", "weight", "timeout", "usual_seconds", "live_penalty"], "description": "now, in this process: seconds, times 1 + weight"}}},
  "MathCore": {"type": "object", "required": ["object", "day", "regime", "lambda_max", "alpha", "signal", "coupling", "nodes"], "properties": {"object": {"const": "mathcore"},
    "day": {"type": ["string", "null"], "description": "of the batch; null: there was none yet"}, "regime": {"enum": ["insufficient_data", "nominal", "improved", "degraded", "coupled", "outlier"]},
    "lambda_max": {"type": "number"}, "alpha": {"type": "number"}, "signal": {"type": "string", "description": "as prompts carry it; empty while data are insufficient"},
    "coupling": {"type": "object", "description": "nodes and gamma, their correlations; empty: too few"}, "nodes": {"type": "array", "items": {"$ref": "#/components/schemas/NodeWeightAdjustment"}}}},
  "Directive": {"type": "object", "required": ["name", "object", "text", "of", "created", "expires"], "properties": {
    "name": {"type": "string"}, "object": {"const": "directive"}, "text": {"type": "string"}, "of": {"enum": ["house", "person"]},
    "created": {"type": "string", "format": "date-time"}, "expires": {"type": "string", "format": "date-time"}}},
  "DirectiveList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Directive"}}}},
  "RemovedDirective": {"type": "object", "required": ["name", "removed"], "properties": {"name": {"type": "string"}, "removed": {"const": true}}},
  "Fact": {"type": "object", "required": ["id", "object", "text", "about", "trusted", "of", "run_id", "seen", "told", "last_seen", "from", "until", "replaced_by"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "fact"}, "text": {"type": "string"}, "about": {"type": ["string", "null"], "description": "what of whom it tells: a newer fact about it replaces this one"},
    "trusted": {"type": "boolean", "description": "your own word; else it was noted from a text"}, "of": {"enum": ["person", "group"]}, "run_id": {"type": ["string", "null"], "description": "in which it was first told"},
    "seen": {"type": "integer", "description": "how often it was told"}, "told": {"type": "string"}, "last_seen": {"type": "string"},
    "from": {"type": "string", "description": "since when it holds"}, "until": {"type": ["string", "null"], "description": "until when it held, of one that was replaced"}, "replaced_by": {"type": ["string", "null"]}}},
  "FactList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Fact"}}}},
  "FactRecord": {"allOf": [{"$ref": "#/components/schemas/Fact"}, {"type": "object", "required": ["sightings", "replaces"], "properties": {
    "sightings": {"type": "array", "items": {"type": "object"}, "description": "each time that it was told, at most 100: run, call, quote"}, "replaces": {"type": "array", "items": {"type": "string"}}}}]},
  "RecalledList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"type": "object",
    "required": ["object", "kind", "text", "score", "trusted", "told", "why"], "properties": {"object": {"const": "recalled"}, "kind": {"enum": ["fact", "episode", "segment", "section"], "description": "its id is in the field of that name"}, "text": {"type": "string"},
    "score": {"type": "number", "description": "of each kind the best first"}, "trusted": {"type": "boolean"}, "run": {"type": ["string", "null"]}, "told": {"type": "string"}, "why": {"type": "string"}}}}}},
  "Forgotten": {"type": "object", "required": ["id", "object", "preview", "counts", "stays"], "properties": {"id": {"type": "string", "format": "uuid"}, "object": {"const": "forgotten"},
    "preview": {"type": "boolean", "description": "nothing was changed"}, "counts": {"type": "object", "additionalProperties": {"type": "integer"}, "description": "how much of each kind goes"},
    "stays": {"type": "array", "items": {"type": "string"}, "description": "what it cannot reach"}}},
  "DocumentRequest": {"type": "object", "required": ["name", "text"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 500, "description": "ending in .md: its headings are read"},
    "text": {"type": "string", "minLength": 1}}},
  "Document": {"type": "object", "required": ["id", "object", "name", "bytes", "sections", "added"], "properties": {"id": {"type": "string", "format": "uuid"}, "object": {"const": "document"},
    "name": {"type": "string"}, "bytes": {"type": "integer"}, "sections": {"type": ["integer", "null"], "description": "null: they are still to be made"}, "added": {"type": "string"}}},
  "DocumentList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Document"}}}},
  "MemoryHealth": {"type": "object", "required": ["object", "facts", "segments", "episodes", "documents"], "properties": {"object": {"const": "memory.health"},
    "facts": {"type": "object", "additionalProperties": {"type": "integer"}, "description": "held, replaced, told_again (observations of a fact that was there), from_texts, of_groups"},
    "segments": {"type": "object", "additionalProperties": {"type": "integer"}, "description": "all, and unsummed: those of no episode"},
    "episodes": {"type": "object", "description": "all, and until when they reach"}, "documents": {"type": "object", "additionalProperties": {"type": "integer"}, "description": "all, those whose sections are still to be made (open), sections"}}},
  "Consolidation": {"type": "object", "required": ["object", "episodes", "segments", "done", "error"], "properties": {"object": {"const": "consolidation"},
    "episodes": {"type": "integer", "description": "summaries that were made"}, "segments": {"type": "integer", "description": "of so many messages with their answers"},
    "done": {"type": "boolean", "description": "there is nothing left"}, "error": {"type": ["string", "null"], "description": "why it ended before, or passed some over"}}},
  "Schedule": {"type": "object", "required": ["id", "object", "when", "cron", "zone", "prompt", "agent", "missed", "silent", "channel", "state", "next", "next_there", "created"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "schedule"}, "when": {"type": "string"}, "cron": {"type": ["string", "null"], "description": "null: it comes once"},
    "zone": {"type": "string"}, "prompt": {"type": "string"}, "agent": {"type": "string"}, "missed": {"enum": ["skip", "once", "all"]}, "silent": {"type": "boolean"},
    "channel": {"type": ["string", "null"]}, "state": {"enum": ["waiting", "paused", "ended"]}, "next": {"type": ["string", "null"], "format": "date-time"},
    "next_there": {"type": ["string", "null"], "description": "by the clock of its zone"}, "created": {"type": "string", "format": "date-time"},
    "merged": {"type": "boolean", "description": "there was one of the same"},
    "fires": {"type": "array", "items": {"$ref": "#/components/schemas/ScheduleFire"}, "description": "each time that it came due, the newest first"}}},
  "ScheduleFire": {"type": "object", "required": ["instant", "state", "run", "outcome"], "properties": {"instant": {"type": "string", "format": "date-time"},
    "state": {"enum": ["due", "working", "done", "skipped", "refused"]}, "run": {"type": ["string", "null"], "format": "uuid"},
    "outcome": {"type": "string", "description": "told, kept, nothing to say, or why nothing came of it"}}},
  "ScheduleList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Schedule"}}}},
  "Key": {"type": "object", "required": ["id", "label", "scopes", "prefix", "created", "revoked"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "label": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}},
    "prefix": {"type": "string"}, "created": {"type": "string"}, "revoked": {"type": "boolean"}}},
  "KeyList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}}}},
  "NewKey": {"allOf": [{"$ref": "#/components/schemas/Key"}, {"type": "object", "required": ["secret"], "properties": {"secret": {"type": "string"}}}]},
  "RevokedKey": {"type": "object", "required": ["id", "revoked"], "properties": {"id": {"type": "string"}, "revoked": {"const": true}}},
  "Person": {"type": "object", "required": ["id", "object", "name", "role", "replies", "effort", "tone", "language"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "person"}, "name": {"type": "string"}, "role": {"enum": ["owner", "member", "guest", "peer"]},
    "replies": {"enum": ["full", "plain"]}, "effort": {"enum": ["auto", "normal", "heavy"]}, "tone": {"type": "string"}, "language": {"enum": ["auto", "en", "fr", "de", "es", "it"]}}},
  "PersonList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}}}},
  "Pairings": {"type": "object", "required": ["object", "waiting", "known"], "properties": {"object": {"const": "pairings"}, "waiting": {"type": "array", "items": {"type": "object"}}, "known": {"type": "array", "items": {"type": "object"}}}},
  "KnownSender": {"type": "object", "required": ["bridge", "sender", "label", "person", "person_id"]},
  "Agent": {"type": "object", "required": ["name", "object", "purpose", "machine", "scope", "key", "prompt", "all_tools", "tools", "asks"], "properties": {
    "name": {"type": "string"}, "object": {"const": "agent"}, "purpose": {"type": "string"}, "machine": {"enum": ["pipeline", "loop"]}, "scope": {"enum": ["home", "dev", "admin"], "description": "whose tools it may have"},
    "key": {"enum": ["chat", "dev", "admin"], "description": "the scope of a key that may call it"}, "prompt": {"type": "string"}, "all_tools": {"type": "boolean", "description": "of its scope"},
    "tools": {"type": "array", "items": {"type": "string"}}, "asks": {"type": "array", "items": {"type": "string"}, "description": "agents that it may ask"}}},
  "AgentList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": "#/components/schemas/Agent"}}}},
  "OutboxRow": {"type": "object", "required": ["id", "object", "person", "bridge", "chat", "emitter", "part", "content", "rule", "state", "error", "attempts", "told", "told_by", "created"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "outbox"}, "person": {"type": "string"}, "bridge": {"type": "string"}, "chat": {"type": "string"}, "emitter": {"type": "string", "description": "what it answers"},
    "part": {"type": "integer"}, "content": {"type": ["string", "null"], "description": "of your own"}, "rule": {"type": "string"}, "state": {"enum": ["prepared", "queued", "in_flight", "delivered", "failed", "unknown"]},
    "error": {"type": "string"}, "attempts": {"type": "integer"}, "told": {"enum": ["", "sent", "unsent", "again"], "description": "by the owner, of one that was unknown"},
    "told_by": {"type": "string", "description": "his name"}, "created": {"type": "string"}}},
  "OutboxTold": {"type": "object", "required": ["id", "object", "told"], "properties": {"id": {"type": "string", "format": "uuid"}, "object": {"const": "outbox.told"}, "told": {"enum": ["sent", "unsent", "again"]}}},
  "OutboxList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": "#/components/schemas/OutboxRow"}}}},
  "Secret": {"type": "object", "required": ["name", "object", "of", "version", "host", "tools", "changed"], "properties": {"name": {"type": "string"}, "object": {"const": "secret"}, "of": {"enum": ["house", "person"]},
    "version": {"type": "integer"}, "host": {"type": "string"}, "tools": {"type": "array", "items": {"type": "string"}}, "changed": {"type": "string"}}},
  "SecretList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"$ref": "#/components/schemas/Secret"}}}},
  "SettingList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"type": "object", "required": ["name", "value", "from", "environment", "help"]}}}},
  "PromptList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"type": "object", "required": ["name", "object", "live", "newest", "shipped"]}}}},
  "Prompt": {"type": "object", "required": ["name", "object", "versions"], "properties": {"name": {"type": "string"}, "object": {"const": "prompt"},
    "versions": {"type": "array", "items": {"type": "object", "required": ["version", "labels", "created", "released", "text"]}}}},
  "SavedPrompt": {"type": "object", "required": ["name", "version", "labels"], "properties": {"name": {"type": "string"}, "version": {"type": "integer"}, "labels": {"type": "array", "items": {"type": "string"}}}},
  "LivePrompt": {"type": "object", "required": ["name", "live"], "properties": {"name": {"type": "string"}, "live": {"type": "integer"}}},
  "BrowserSession": {"type": "object", "required": ["id", "object", "way", "label", "begun", "seen", "expires", "current"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "object": {"const": "session"}, "way": {"enum": ["link", "password"]}, "label": {"type": "string", "description": "what the browser calls itself"},
    "begun": {"type": "string"}, "seen": {"type": "string"}, "expires": {"type": "string"}, "current": {"type": "boolean", "description": "the one that asks"}}},
  "Session": {"type": "object", "required": ["object", "person", "scopes", "has_password", "session"], "properties": {"object": {"const": "session"},
    "person": {"type": "object", "required": ["id", "name", "role"], "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "role": {"type": "string"}}},
    "scopes": {"type": "array", "items": {"type": "string"}}, "has_password": {"type": "boolean"},
    "session": {"oneOf": [{"$ref": "#/components/schemas/BrowserSession"}, {"type": "null"}], "description": "null: asked with a key"},
    "csrf": {"type": "string", "description": "of a browser: what its requests send in X-Hearth-CSRF"}}},
  "SessionList": {"type": "object", "required": ["object", "data"], "properties": {"object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/BrowserSession"}}}},
  "EndedSession": {"type": "object", "required": ["ended"], "properties": {"id": {"type": "string"}, "ended": {"const": true}}},
  "PasswordState": {"type": "object", "required": ["has_password"], "properties": {"has_password": {"const": true}}},
  "SignInLink": {"type": "object", "required": ["object", "url", "expires"], "properties": {"object": {"const": "link"}, "url": {"type": "string"}, "expires": {"type": "string"}}}
})";

const char* kOthers = R"({
  "responses": {"error": {"description": "an error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
  "parameters": {
    "level": {"name": "level", "in": "query", "schema": {"enum": ["debug", "info", "warn", "error"]}, "description": "this and what is graver"},
    "log_limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 2000, "default": 200}},
    "run_limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}},
    "days": {"name": "days", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 366, "default": 30}, "description": "how far back"},
    "calls": {"name": "calls", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 500, "default": 50}, "description": "how many single calls"},
    "by": {"name": "by", "in": "query", "schema": {"type": "string", "enum": ["agent", "conversation", "model", "backend", "person"]}, "description": "sums by one of these; person: of everybody, with a key of the scope admin"},
    "all": {"name": "all", "in": "query", "schema": {"type": "boolean", "default": false}, "description": "what was replaced by something newer, too"},
    "preview": {"name": "preview", "in": "query", "schema": {"type": "boolean", "default": false}, "description": "only say what would go"},
    "question": {"name": "question", "in": "query", "required": true, "schema": {"type": "string", "minLength": 1, "maxLength": 1000}},
    "seconds": {"name": "seconds", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60}, "description": "how long, at most"},
    "before": {"name": "before", "in": "query", "schema": {"type": "string", "format": "uuid"}, "description": "only those older than this one"},
    "outbox_limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}},
    "run_status": {"name": "status", "in": "query", "schema": {"enum": ["open", "waiting_person", "waiting_client", "answered", "partial", "cancelled", "refused", "unknown_effect", "no_backend", "failed"]}, "description": "open: of those that have not ended"},
    "run_agent": {"name": "agent", "in": "query", "schema": {"type": "string"}, "description": "whom they were for"},
    "run_text": {"name": "text", "in": "query", "schema": {"type": "string"}, "description": "what their questions hold, however it is capitalised"},
    "idempotency_key": {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
      "description": "sent again with the same body within 24 hours, the request begins nothing and answers with the run that it began; with another body 409"},
    "last_event_id": {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string", "pattern": "^[0-9]{1,9}[.][0-9]{1,9}$"}, "description": "only what was told after that event"},
    "conversation": {"name": "X-Hearth-Conversation", "in": "header", "schema": {"type": "string", "format": "uuid"},
      "description": "hearth and hearth/dev: the conversation that goes on; then the new messages are enough"},
    "on_disconnect": {"name": "X-Hearth-On-Disconnect", "in": "header", "schema": {"enum": ["continue", "cancel"]},
      "description": "what becomes of an agent's run when the client leaves; a bare model stops in any case"}},
  "headers": {
    "X-Hearth-Run": {"schema": {"type": "string"}, "description": "an agent's run; see GET /v1/runs/{id}"},
    "X-Hearth-Conversation": {"schema": {"type": "string"}, "description": "an agent's conversation, for the next request"},
    "X-Hearth-Ignored-Fields": {"schema": {"type": "string"}, "description": "unknown fields of the body, and words in schemas of tools that JSON Schema does not have; they did nothing"},
    "X-Hearth-Loose-Tools": {"schema": {"type": "string"}, "description": "schemas of tools that are not strict, with the places in them that no grammar can hold: calls of these are held to an object only"}},
  "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}
})";

}  // namespace

const base::Json& openapi_components() {
    static const base::Json components = [] {
        base::Json out = base::Json::parse(kOthers);
        out["schemas"] = base::Json::parse(kRequests);
        out["schemas"].update(base::Json::parse(kAnswers));
        out["schemas"].update(openapi_responses());
        return out;
    }();
    return components;
}

}  // namespace server
