# The animals: fault, sound plugin, the test that finds it.

# The base without a fault: every test must pass, so that what others fail in is their fault alone.
zoo(none backend - LEVEL 2)
zoo(none architecture -)
zoo(none frontend -)

# What the file says and what the linker made of it
zoo(wrong_magic backend manifest.note MANIFEST "#include \"vernal/abi/plugin.h\""
    "#include \"vernal/abi/plugin.h\"\n#undef VERNAL_NOTE_OWNER\n#define VERNAL_NOTE_OWNER \"vermal\"")
zoo(wrong_major backend manifest.version MANIFEST "abi_major=1" "abi_major=2")
zoo(minimum_above_host backend manifest.version MANIFEST "abi_minor_min=0" "abi_minor_min=9")
zoo(size_zero backend manifest.tables)
zoo(size_odd backend manifest.tables)
zoo(size_beyond backend manifest.tables)
zoo(null_function backend manifest.tables)
zoo(second_export backend binary.exports DEFINE ZOO_SECOND_EXPORT WITHOUT_MAP)
zoo(no_entry backend binary.loads DEFINE ZOO_NO_ENTRY)
zoo(unresolved backend binary.loads DEFINE ZOO_UNRESOLVED LINK LINKER:-z,undefs)
zoo(lazy_binding backend binary.bound LINK LINKER:-z,lazy)
zoo(executable_stack backend binary.stack LINK LINKER:-z,execstack)
zoo(run_path backend binary.run_path LINK LINKER:-rpath,/tmp)

# Hosts and structs of other sizes
zoo(accepts_broken_host backend negotiation.broken_host)
zoo(entry_starts_thread backend negotiation.oldest_host)
zoo(writes_past_size backend negotiation.result_sizes)
zoo(reads_past_size backend negotiation.result_sizes)
zoo(ignores_stride backend negotiation.longer_arguments)
zoo(trusts_host_table backend negotiation.oldest_host)
zoo(trusts_module_table backend negotiation.oldest_module)
zoo(trusts_batch backend negotiation.oldest_step)
zoo(takes_cut_tables backend negotiation.cut_tables)
zoo(trusts_builder_table architecture negotiation.oldest_builder)
zoo(trusts_services frontend negotiation.oldest_use)

# What stays behind
zoo(thread_left backend lifecycle.threads)
zoo(frontend_thread_left frontend lifecycle.threads)
zoo(descriptor_left backend lifecycle.descriptors)
zoo(memory_grows backend lifecycle.memory)
zoo(step_memory_grows backend lifecycle.step_memory)
zoo(takes_signals backend lifecycle.settings)
zoo(slow_cancel backend lifecycle.cancel)
zoo(loads_anyway backend lifecycle.failed_load)
zoo(schema_without_help backend lifecycle.schema)

# Errors
zoo(throws_open backend errors.exceptions)
zoo(throws_plan backend errors.exceptions)
zoo(throws_build backend errors.exceptions)
zoo(throws_sequence backend errors.exceptions)
zoo(throws_step backend errors.exceptions)
zoo(exits_in_step backend errors.exceptions)
zoo(hangs_in_step backend errors.exceptions)
zoo(trusts_handles backend errors.null_handles)
zoo(errors_without_text backend errors.stale_sequences)
zoo(ignores_sinks backend errors.refusing_sinks)
zoo(trusts_token_ids backend errors.token_ids)
zoo(stale_sequence backend errors.stale_sequences)
zoo(stale_checkpoint backend errors.stale_checkpoints)

# Numbers
zoo(wrong_at_1 backend operations.linear)
zoo(wrong_at_65 backend operations.attention)
zoo(nan_on_zero_row backend operations.zero_rows)
zoo(overflows backend operations.long_rows)
zoo(ignores_attribute backend operations.unknown_attribute)
zoo(any_operation backend errors.unknown_operation)
zoo(window_off_by_one backend operations.window)
zoo(misreads_format backend operations.formats)

# State
zoo(wrong_at_3 backend state.chunks_full)
zoo(depends_on_mates backend state.batch_mates_full)
zoo(leaks_between_sequences backend state.batch_mates_window)
zoo(truncates_on_refusal backend state.refused_truncate_full)
zoo(restorable_lies backend state.truncate_full)
zoo(fork_ignores_position backend state.fork_earlier_full)
zoo(fork_shares_state backend state.fork_hybrid LEVEL 1)
zoo(restore_forgets_convolution backend state.restore_hybrid LEVEL 1)
zoo(failed_step_harms_others backend state.failed_step_full)
zoo(exhaustion_ends_it backend state.exhaustion_full)
zoo(room_is_not_given_back backend state.free_full)
zoo(imports_anything backend state.snapshot_full)
zoo(rotation_not_undone backend state.rotation)

# Architectures and frontends
zoo(impure architecture model.build)
zoo(trusts_metadata architecture model.bad_metadata)
zoo(takes_every_file architecture model.probe)
zoo(describes_in_prose architecture model.describe)
zoo(says_nothing_of_itself frontend frontend.life)
zoo(never_releases frontend frontend.answers)
