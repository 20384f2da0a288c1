// Every handler, by file. Bound to its path in server/routes.cpp.
#pragma once

#include "server/routes.h"

namespace server::api {

// chat_completions.cpp
net::Task<Response> chat_completions(Request request, Caller caller, Services& services);
// responses.cpp
net::Task<Response> create_response(Request request, Caller caller, Services& services);
// stored_responses.cpp
net::Task<Response> get_response(Request request, Caller caller, Services& services);
net::Task<Response> delete_response(Request request, Caller caller, Services& services);
// embeddings.cpp
net::Task<Response> embeddings(Request request, Caller caller, Services& services);
// dev_chat.cpp
net::Task<Response> dev_chat(Request request, Caller caller, Services& services);
// runs.cpp
net::Task<Response> list_runs(Request request, Caller caller, Services& services);
net::Task<Response> get_run(Request request, Caller caller, Services& services);
net::Task<Response> stop_run(Request request, Caller caller, Services& services);
// replay.cpp
net::Task<Response> replay_call(Request request, Caller caller, Services& services);
// run_orders.cpp
net::Task<Response> start_run(Request request, Caller caller, Services& services);
net::Task<Response> steer_run(Request request, Caller caller, Services& services);
net::Task<Response> fork_run(Request request, Caller caller, Services& services);
// run_events.cpp
net::Task<Response> run_events(Request request, Caller caller, Services& services);
// approvals.cpp
net::Task<Response> approve_run(Request request, Caller caller, Services& services);
net::Task<Response> list_approvals(Request request, Caller caller, Services& services);
net::Task<Response> get_approval(Request request, Caller caller, Services& services);
net::Task<Response> decide_approval(Request request, Caller caller, Services& services);
// threads.cpp
net::Task<Response> list_threads(Request request, Caller caller, Services& services);
net::Task<Response> get_thread(Request request, Caller caller, Services& services);
net::Task<Response> stop_thread(Request request, Caller caller, Services& services);
// usage.cpp
net::Task<Response> usage(Request request, Caller caller, Services& services);
// model_load.cpp
net::Task<Response> load_model(Request request, Caller caller, Services& services);
net::Task<Response> unload_model(Request request, Caller caller, Services& services);
net::Task<Response> usage_days(Request request, Caller caller, Services& services);
// run_sums.cpp
net::Task<Response> run_sums(Request request, Caller caller, Services& services);
// drills.cpp
net::Task<Response> list_drills(Request request, Caller caller, Services& services);
net::Task<Response> drill(Request request, Caller caller, Services& services);
// nightly.cpp
net::Task<Response> nightly_batch(Request request, Caller caller, Services& services);
net::Task<Response> mathcore(Request request, Caller caller, Services& services);
// mathcore_days.cpp
net::Task<Response> mathcore_days(Request request, Caller caller, Services& services);
// system.cpp
net::Task<Response> health(Request request, Caller caller, Services& services);
net::Task<Response> models(Request request, Caller caller, Services& services);
net::Task<Response> model(Request request, Caller caller, Services& services);
net::Task<Response> metrics(Request request, Caller caller, Services& services);
net::Task<Response> logs(Request request, Caller caller, Services& services);
net::Task<Response> openapi_document(Request request, Caller caller, Services& services);
// memory.cpp
net::Task<Response> list_facts(Request request, Caller caller, Services& services);
net::Task<Response> get_fact(Request request, Caller caller, Services& services);
net::Task<Response> forget_fact(Request request, Caller caller, Services& services);
net::Task<Response> replace_fact(Request request, Caller caller, Services& services);
net::Task<Response> memory_health(Request request, Caller caller, Services& services);
net::Task<Response> consolidate_memory(Request request, Caller caller, Services& services);
net::Task<Response> recall_facts(Request request, Caller caller, Services& services);
// blobs.cpp
net::Task<Response> list_blobs(Request request, Caller caller, Services& services);
net::Task<Response> about_blob(Request request, Caller caller, Services& services);
net::Task<Response> get_blob(Request request, Caller caller, Services& services);
net::Task<Response> remember_blob(Request request, Caller caller, Services& services);
net::Task<Response> forget_blob(Request request, Caller caller, Services& services);
// documents.cpp
net::Task<Response> list_documents(Request request, Caller caller, Services& services);
net::Task<Response> add_document(Request request, Caller caller, Services& services);
net::Task<Response> read_file(Request request, Caller caller, Services& services);
net::Task<Response> forget_document(Request request, Caller caller, Services& services);
// archive.cpp
net::Task<Response> archive_memory(Request request, Caller caller, Services& services);
net::Task<Response> archived_text(Request request, Caller caller, Services& services);
// collections.cpp
net::Task<Response> list_collections(Request request, Caller caller, Services& services);
net::Task<Response> make_collection(Request request, Caller caller, Services& services);
net::Task<Response> get_collection(Request request, Caller caller, Services& services);
net::Task<Response> add_collection_item(Request request, Caller caller, Services& services);
net::Task<Response> remove_collection(Request request, Caller caller, Services& services);
// interactions.cpp
net::Task<Response> list_interactions(Request request, Caller caller, Services& services);
// directives.cpp
net::Task<Response> list_directives(Request request, Caller caller, Services& services);
net::Task<Response> add_directive(Request request, Caller caller, Services& services);
net::Task<Response> remove_directive(Request request, Caller caller, Services& services);
// schedules.cpp
net::Task<Response> list_schedules(Request request, Caller caller, Services& services);
net::Task<Response> coming_schedules(Request request, Caller caller, Services& services);
net::Task<Response> add_schedule(Request request, Caller caller, Services& services);
net::Task<Response> get_schedule(Request request, Caller caller, Services& services);
net::Task<Response> run_schedule(Request request, Caller caller, Services& services);
net::Task<Response> pause_schedule(Request request, Caller caller, Services& services);
net::Task<Response> resume_schedule(Request request, Caller caller, Services& services);
net::Task<Response> end_schedule(Request request, Caller caller, Services& services);
// live.cpp
net::Task<Response> live(Request request, Caller caller, Services& services);
// rights.cpp
net::Task<Response> list_rights(Request request, Caller caller, Services& services);
net::Task<Response> change_right(Request request, Caller caller, Services& services);
// people.cpp
net::Task<Response> list_people(Request request, Caller caller, Services& services);
net::Task<Response> add_person(Request request, Caller caller, Services& services);
net::Task<Response> change_person(Request request, Caller caller, Services& services);
net::Task<Response> list_pairings(Request request, Caller caller, Services& services);
net::Task<Response> approve_pairing(Request request, Caller caller, Services& services);
// prompts.cpp
net::Task<Response> list_prompts(Request request, Caller caller, Services& services);
net::Task<Response> get_prompt(Request request, Caller caller, Services& services);
net::Task<Response> save_prompt(Request request, Caller caller, Services& services);
net::Task<Response> release_prompt(Request request, Caller caller, Services& services);
net::Task<Response> roll_back_prompt(Request request, Caller caller, Services& services);
// house.cpp
net::Task<Response> list_outbox(Request request, Caller caller, Services& services);
net::Task<Response> tell_sent(Request request, Caller caller, Services& services);
net::Task<Response> tell_unsent(Request request, Caller caller, Services& services);
net::Task<Response> send_again(Request request, Caller caller, Services& services);
net::Task<Response> list_secrets(Request request, Caller caller, Services& services);
net::Task<Response> list_agents(Request request, Caller caller, Services& services);
net::Task<Response> list_settings(Request request, Caller caller, Services& services);
// session.cpp
net::Task<Response> begin_session(Request request, Caller caller, Services& services);
net::Task<Response> get_session(Request request, Caller caller, Services& services);
net::Task<Response> end_session(Request request, Caller caller, Services& services);
net::Task<Response> set_password(Request request, Caller caller, Services& services);
net::Task<Response> make_link(Request request, Caller caller, Services& services);
net::Task<Response> list_sessions(Request request, Caller caller, Services& services);
net::Task<Response> revoke_session(Request request, Caller caller, Services& services);
// keys.cpp
net::Task<Response> list_keys(Request request, Caller caller, Services& services);
net::Task<Response> create_key(Request request, Caller caller, Services& services);
net::Task<Response> revoke_key(Request request, Caller caller, Services& services);

}  // namespace server::api
