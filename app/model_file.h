// The model's file as the settings want it loaded, and what a person is told when it cannot be.
#pragma once

#include <filesystem>

#include "app/settings.h"
#include "engine/engine.h"

namespace app {

// Where it is written how loads went (router/load_note.h).
std::filesystem::path load_notes(const Settings& settings);

engine::LoadOptions load_options(const Settings& settings, const std::filesystem::path& file);

// Whether model.speculation has tokens guessed from that source: "prompt", "head", "draft".
bool guesses_from(const Settings& settings, std::string_view source);

// Those of model.adapters. Errors name the setting.
base::Result<std::vector<std::pair<std::string, std::filesystem::path>>> adapters_of(const Settings& settings);
engine::LoadOptions embedding_options(const Settings& settings);  // of embedding.path

// models.yaml: as set, beside the installed binary, or in the checkout that it was built in.
std::filesystem::path catalogue_file(const Settings& settings);
// Where hearth model pull puts files.
std::filesystem::path models_folder(const Settings& settings);

// Bytes that a model which is not chosen yet could take here for weights and its least cache.
std::uint64_t room_for_a_model(const Settings& settings);

// The engine's error about `file`, with what to do about it on the command line.
base::Error model_error(base::Error error, const Settings& settings, const std::filesystem::path& file);

// Whether a file has a head for drafting that this engine runs.
bool has_head_for_drafting(const std::filesystem::path& path);

// Of an encoder where a chat model is wanted.
base::Error encoder_error(const std::filesystem::path& file);

// Whether the embedded model could be loaded, before anything is: file, family, memory. Fine too when
// a script or an upstream answers in its place.
base::Result<void> check_model(const Settings& settings);
// The same of embedding.path; fine too when there is none.
base::Result<void> check_embedding_model(const Settings& settings);

}  // namespace app
