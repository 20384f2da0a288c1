import ctypes
import sys

if len(sys.argv) < 4:
    sys.exit("usage: embed_example.py libhearth_engine.so MODEL.gguf TEXT")
library = ctypes.CDLL(sys.argv[1])


class Request(ctypes.Structure):  # hearth_request
    _fields_ = [("max_tokens", ctypes.c_int), ("temperature", ctypes.c_float), ("top_k", ctypes.c_int), ("top_p", ctypes.c_float),
                ("min_p", ctypes.c_float), ("seed", ctypes.c_uint64)]


library.hearth_engine_load.restype = library.hearth_session_start.restype = ctypes.c_void_p
error = ctypes.create_string_buffer(300)
engine = ctypes.c_void_p(library.hearth_engine_load(sys.argv[2].encode(), None, error, ctypes.c_size_t(len(error))))
if not engine:
    sys.exit(error.value.decode())

text = sys.argv[3].encode()
n = library.hearth_tokenize(engine, text, 0, None, 0)
prompt = (ctypes.c_int32 * max(n, 1))()
library.hearth_tokenize(engine, text, 0, prompt, n)
request = Request(max_tokens=16)  # greedy
session = ctypes.c_void_p(library.hearth_session_start(engine, prompt, n, ctypes.byref(request), error, ctypes.c_size_t(len(error))))
if not session:
    sys.exit(error.value.decode())

token, piece, finish, tokens = ctypes.c_int32(), ctypes.c_char_p(), ctypes.c_int(), 0
while library.hearth_session_next(session, ctypes.byref(token), ctypes.byref(piece), ctypes.byref(finish)):
    print(piece.value.decode(), end="")
    tokens += token.value >= 0
print(f"\n[{tokens} tokens]")
library.hearth_session_free(session)
library.hearth_engine_free(engine)
