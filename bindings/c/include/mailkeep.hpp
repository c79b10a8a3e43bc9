// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Mailkeep in C++17: objects that free themselves, exceptions, std::function. It is a thin layer over mailkeep.h, whose
// comments say what each call does; ABI and versions are those of mailkeep.h alone.
//
// A function that fails throws Error. An exception of a callback ends the call, and comes out of it unchanged. Texts in
// results live as long as the object that gave them; JSON is returned as std::string.

#ifndef MAILKEEP_HPP
#define MAILKEEP_HPP

#include <mailkeep.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailkeep {
inline std::string_view view(const mk_text &text) { return {text.data == nullptr ? "" : text.data, text.length}; }

// What a call failed with.
class Error : public std::runtime_error {
  public:
    Error(mk_status status, const std::string &message, std::string json)
        : std::runtime_error(message), status_(status), json_(std::move(json)) {}
    mk_status status() const noexcept { return status_; }
    // A stable name, such as `wrong_key`.
    const char *code() const noexcept { return mk_status_name(status_); }
    const std::string &json() const noexcept { return json_; }

  private:
    mk_status status_;
    std::string json_;
};

// How a long call is followed and ended: `report` ends it by false.
struct Progress {
    std::function<bool(const mk_step &)> report;
    const mk_cancel *cancel = nullptr;
};

namespace detail {
// An object of C++ that owns one of C.
template <class T, mk_status (*Release)(T *)> class Owner {
  public:
    using Pointer = T *;
    explicit Owner(T *made) : handle_(made) {}
    T *get() const noexcept { return handle_.get(); }

  protected:
    struct Free {
        void operator()(T *handle) const noexcept { Release(handle); }
    };
    std::unique_ptr<T, Free> handle_;
};

// One call: its error object, its progress, and the exception of a callback, which must not cross C.
class Call {
  public:
    Call() { mk_error_new(&error_); }
    ~Call() { mk_error_free(error_); }
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    operator mk_error *() const noexcept { return error_; }

    // True for MK_OK, false for MK_END.
    bool check(mk_status status) {
        if (std::exception_ptr thrown = std::exchange(thrown_, nullptr)) std::rethrow_exception(thrown);
        if (status >= 0) return status == MK_OK;
        mk_text message{}, json{};
        // They fail only without an error object.
        mk_error_message(&message, error_);
        mk_error_json(&json, error_);
        std::string_view what = message.length > 0 ? view(message) : std::string_view(mk_status_name(status));
        throw Error(status, std::string(what), std::string(view(json)));
    }

    const mk_progress *follow(const Progress &progress) {
        progress_ = init<mk_progress>();
        following_ = &progress;
        progress_.cancel = progress.cancel;
        progress_.payload = this;
        if (progress.report) {
            progress_.report = [](void *payload, const mk_step *step) {
                auto *call = static_cast<Call *>(payload);
                return call->guard([&] { return call->following_->report(*step); });
            };
        }
        return &progress_;
    }

    // Runs a callback: 0 if it wants more.
    template <class F> std::int32_t guard(F &&callback) noexcept {
        try {
            return callback() ? 0 : 1;
        } catch (...) {
            std::lock_guard<std::mutex> lock(mutex_);
            if (!thrown_) thrown_ = std::current_exception();
            return 1;
        }
    }

  private:
    mk_error *error_ = nullptr;
    mk_progress progress_{};
    const Progress *following_ = nullptr;
    std::mutex mutex_; // Callbacks come from any thread.
    std::exception_ptr thrown_;
};

// The text of a buffer, unless the call that gave it failed.
inline std::string taken(Call &call, mk_status status, mk_buffer *made) {
    Owner<mk_buffer, mk_buffer_free> buffer(made);
    call.check(status);
    mk_text text{};
    call.check(mk_buffer_get(&text, made, call));
    return std::string(view(text));
}

template <class A> A pass(Call &, A argument) { return argument; }
inline const mk_progress *pass(Call &call, const Progress &progress) { return call.follow(progress); }

// The text of a buffer that a function of C gives as its first argument.
template <class F, class... A> std::string text_of(F of_c, const A &...arguments) {
    Call call;
    mk_buffer *made = nullptr;
    mk_status status = of_c(&made, pass(call, arguments)..., call);
    return taken(call, status, made);
}

// The same of another object, which has an owner in C++.
template <class Made, class F, class... A> Made made_by(F of_c, const A &...arguments) {
    Call call;
    typename Made::Pointer made = nullptr;
    call.check(of_c(&made, pass(call, arguments)..., call));
    return Made(made);
}

inline const char *at(std::string_view text) { return text.empty() ? nullptr : text.data(); }
inline mk_status close_quietly(mk_archive *archive) { return mk_archive_close(archive, nullptr, nullptr); }
} // namespace detail

// Ends calls from another thread: its `get()` is the `cancel` of their progress.
class Cancel : public detail::Owner<mk_cancel, mk_cancel_free> {
  public:
    Cancel() : Owner(detail::made_by<Owner>(mk_cancel_new)) {}
    void now() const { mk_cancel_now(get(), nullptr); }
};

// Receives bytes in pieces; false ends the call.
using Sink = std::function<bool(std::string_view)>;
// Fills a buffer of this size and returns how many bytes; 0 at the end.
using Source = std::function<std::size_t(char *, std::size_t)>;

// The options of an import, and what it reports. `into` empty: a folder named after the source.
struct ImportOptions {
    std::string into;
    std::uint32_t flags = 0, duplicates = MK_DUPLICATES_FOLDER, format = MK_FORMAT_AUTO;
    Progress progress;
    std::function<bool(const mk_receipt &)> receipt;
    std::function<bool(const mk_trouble &)> trouble;
    std::function<bool(std::string_view, std::uint64_t)> missing;
};

inline mk_key key(std::uint32_t kind, std::string_view text) {
    auto key = init<mk_key>();
    key.kind = kind, key.data = text.data(), key.length = text.size();
    return key;
}

inline std::string print(mk_message_id id) {
    char text[32];
    mk_message_id_print(text, sizeof text, nullptr, id, nullptr);
    return text;
}

// Some of a list, or of the hits of a search: `for (const mk_message &message : page)`.
class Page : public detail::Owner<mk_page, mk_page_free> {
  public:
    explicit Page(mk_page *made) : Owner(made) {
        detail::Call call;
        call.check(mk_page_get_info(&info_, get(), call));
        auto message = init<mk_message>();
        while (call.check(mk_page_message(&message, get(), messages_.size(), call))) messages_.push_back(message);
        auto folder = init<mk_folder>();
        while (call.check(mk_page_folder(&folder, get(), folders_.size(), call))) folders_.push_back(folder);
    }
    auto begin() const noexcept { return messages_.begin(); }
    auto end() const noexcept { return messages_.end(); }
    std::size_t size() const noexcept { return info_.count; }
    const std::vector<mk_message> &messages() const noexcept { return messages_; }
    const std::vector<mk_folder> &folders() const noexcept { return folders_; }
    // `total`, `contents` and what else a search counts.
    const mk_page_info &info() const noexcept { return info_; }
    std::string cursor() const { return std::string(view(info_.cursor)); }
    std::string json() const { return detail::text_of(mk_page_json, get()); }

  private:
    mk_page_info info_ = init<mk_page_info>();
    std::vector<mk_message> messages_;
    std::vector<mk_folder> folders_;
};

// A search that is read page by page.
class Search : public detail::Owner<mk_search, mk_search_free> {
  public:
    using Owner::Owner;
    // Nothing after the last page.
    std::optional<Page> next(std::size_t most = 0) {
        detail::Call call;
        mk_page *page = nullptr;
        if (!call.check(mk_search_next(&page, get(), most, call))) return std::nullopt;
        return Page(page);
    }
};

// The bytes of a mail or part.
class Stream : public detail::Owner<mk_stream, mk_stream_free> {
  public:
    using Owner::Owner;
    // How many bytes were read; 0 at the end.
    std::size_t read(char *data, std::size_t length) {
        detail::Call call;
        std::size_t read = 0;
        return call.check(mk_stream_read(&read, get(), data, length, call)) ? read : 0;
    }
};

// An archive on behalf of an actor. It may be used from any thread.
class Session : public detail::Owner<mk_session, mk_session_free> {
  public:
    using Owner::Owner;
    std::string import(std::string_view path, const ImportOptions &options = {}) const {
        return with_source(mk_session_import, path, nullptr, options);
    }
    std::string import(const Source &source, std::string_view name, const ImportOptions &options = {}) const {
        return with_source(mk_session_import, name, &source, options);
    }
    std::string plan(std::string_view path, const ImportOptions &options = {}) const {
        return with_source(mk_session_import_plan, path, nullptr, options);
    }
    std::string check(std::string_view path, const ImportOptions &options = {}) const {
        return with_source(mk_session_check, path, nullptr, options);
    }
    mk_receipt import_one(std::string_view mail, std::string_view into) const {
        detail::Call call;
        auto receipt = init<mk_receipt>();
        call.check(mk_session_import_one(&receipt, get(), mail.data(), mail.size(), into.data(), into.size(), call));
        return receipt;
    }

    // `request` is JSON: {"query":"invoice","limit":50}.
    Page search(std::string_view request, const Progress &progress = {}) const {
        return page(mk_session_search, request.data(), request.size(), progress);
    }
    Search begin_search(std::string_view request) const {
        return detail::made_by<Search>(mk_search_begin, get(), request.data(), request.size(), nullptr);
    }
    Page folders(std::string_view cursor = {}, std::size_t most = 1000) const {
        return page(mk_session_folders, detail::at(cursor), cursor.size(), most);
    }
    // Of all folders if `folder` is empty.
    Page messages(std::string_view folder, std::string_view cursor = {}, std::size_t most = 1000) const {
        return page(mk_session_messages, detail::at(folder), folder.size(), detail::at(cursor), cursor.size(), most);
    }
    Page message(mk_message_id id) const { return page(mk_session_message, id); }
    Page thread(mk_message_id id, const Progress &progress = {}) const { return page(mk_session_thread, id, progress); }

    std::string raw(mk_message_id id) const { return text(mk_session_raw, id); }
    std::string parts(mk_message_id id) const { return text(mk_session_parts, id); }
    std::string record(mk_message_id id) const { return text(mk_session_record, id); }
    Stream stream(mk_message_id id, std::uint32_t part = MK_WHOLE_MAIL) const {
        return detail::made_by<Stream>(mk_stream_open, get(), id, part);
    }
    void read(mk_message_id id, const Sink &sink) const {
        Payload to{{}, &sink, nullptr, nullptr};
        to.call.check(mk_session_read(get(), id, write, &to, to.call));
    }
    void read_part(mk_message_id id, std::uint32_t part, const Sink &sink, std::uint64_t from = 0) const {
        Payload to{{}, &sink, nullptr, nullptr};
        to.call.check(mk_session_read_part(get(), id, part, from, write, &to, to.call));
    }

    // Of the options, `progress` is that of the call.
    std::string export_to(std::string_view folder, mk_export_options options = init<mk_export_options>(),
                          const Progress &progress = {}) const {
        detail::Call call;
        mk_buffer *report = nullptr;
        options.progress = call.follow(progress);
        mk_status status = mk_session_export(&report, get(), folder.data(), folder.size(), &options, call);
        return detail::taken(call, status, report);
    }
    // Each gives the JSON of what became of the messages. All of them are deleted or brought back, or none.
    std::string remove(const std::vector<mk_message_id> &ids, std::string_view reason, std::uint32_t flags = 0) const {
        return text(mk_session_delete, ids.data(), ids.size(), reason.data(), reason.size(), flags);
    }
    std::string undelete(const std::vector<mk_message_id> &ids, std::string_view reason) const {
        return text(mk_session_undelete, ids.data(), ids.size(), reason.data(), reason.size());
    }
    std::string deleted(std::string_view cursor = {}, std::size_t most = 1000) const {
        return text(mk_session_deleted, detail::at(cursor), cursor.size(), most);
    }
    // Erases what was deleted; what is erased cannot be brought back.
    std::string compact(std::uint32_t flags = 0, const Progress &progress = {}) const {
        return text(mk_session_compact, flags, progress);
    }
    std::string compact_store(std::uint32_t store, std::uint32_t flags = 0, const Progress &progress = {}) const {
        return text(mk_session_compact_store, store, flags, progress);
    }

    // The stores of the archive, as JSON.
    std::string stores(std::uint32_t flags = 0) const { return text(mk_session_stores, flags); }
    // Gives the number of the new store. `state` is one of MK_STORE_.
    std::uint32_t create_store(std::string_view name, std::uint32_t state = MK_STORE_CURRENT, const mk_store_dirs *dirs = nullptr) const {
        detail::Call call;
        std::uint32_t store = 0;
        call.check(mk_session_create_store(&store, get(), name.data(), name.size(), state, dirs, call));
        return store;
    }
    // Gives the number that the store had.
    std::uint32_t attach_store(std::string_view name, const mk_store_dirs &dirs, std::uint32_t state = MK_STORE_NORMAL) const {
        detail::Call call;
        std::uint32_t store = 0;
        call.check(mk_session_attach_store(&store, get(), name.data(), name.size(), state, &dirs, call));
        return store;
    }
    void detach_store(std::uint32_t store, const Progress &progress = {}) const {
        detail::Call call;
        const auto followed = call.follow(progress);
        call.check(mk_session_detach_store(get(), store, followed, call));
    }
    void rename_store(std::uint32_t store, std::string_view name) const {
        detail::Call call;
        call.check(mk_session_rename_store(get(), store, name.data(), name.size(), call));
    }
    void set_store_state(std::uint32_t store, std::uint32_t state, const Progress &progress = {}) const {
        detail::Call call;
        const auto followed = call.follow(progress);
        call.check(mk_session_set_store_state(get(), store, state, followed, call));
    }
    void set_store_dirs(std::uint32_t store, const mk_store_dirs &dirs) const {
        detail::Call call;
        call.check(mk_session_set_store_dirs(get(), store, &dirs, call));
    }
    std::string store_rule() const { return text(mk_session_store_rule); }
    void set_store_rule(std::string_view rule) const {
        detail::Call call;
        call.check(mk_session_set_store_rule(get(), rule.data(), rule.size(), call));
    }
    // Why some stores still cannot be opened, as JSON.
    std::string retry_open_stores(const Progress &progress = {}) const { return text(mk_session_retry_open_stores, progress); }

    std::string stats(const Progress &progress = {}) const { return text(mk_session_stats, progress); }
    std::string verify(std::uint32_t depth = MK_VERIFY_EVERYTHING, const Progress &progress = {}) const {
        return text(mk_session_verify, depth, 0, 0, progress);
    }

  private:
    // What callbacks get.
    struct Payload {
        detail::Call call;
        const Sink *sink;
        const ImportOptions *options;
        const Source *source;
    };
    template <class F, class... A> Page page(F of_c, const A &...arguments) const {
        return detail::made_by<Page>(of_c, get(), arguments...);
    }
    template <class F, class... A> std::string text(F of_c, const A &...arguments) const {
        return detail::text_of(of_c, get(), arguments...);
    }

    static std::int32_t write(void *payload, const void *data, std::size_t length) {
        auto *to = static_cast<Payload *>(payload);
        return to->call.guard([&] { return (*to->sink)({static_cast<const char *>(data), length}); });
    }
    static std::int64_t fill(void *payload, void *data, std::size_t length) {
        auto *to = static_cast<Payload *>(payload);
        std::size_t read = 0;
        auto call = [&] { return read = (*to->source)(static_cast<char *>(data), length), true; };
        return to->call.guard(call) == 0 ? static_cast<std::int64_t>(read) : -1;
    }
    template <auto Event, class T> static std::int32_t tell(void *payload, const T *what) {
        auto *to = static_cast<Payload *>(payload);
        return to->call.guard([&] { return (to->options->*Event)(*what); });
    }
    static std::int32_t miss(void *payload, const mk_text *file, std::uint64_t offset) {
        auto *to = static_cast<Payload *>(payload);
        return to->call.guard([&] { return to->options->missing(view(*file), offset); });
    }
    template <class F>
    std::string with_source(F of_c, std::string_view path, const Source *source, const ImportOptions &given) const {
        Payload to{{}, nullptr, &given, source};
        auto from = init<mk_source>();
        from.path = detail::at(path), from.path_length = path.size();
        from.read = source == nullptr ? nullptr : fill, from.payload = &to;
        auto calls = init<mk_import_events>();
        calls.payload = &to;
        calls.receipt = given.receipt ? tell<&ImportOptions::receipt, mk_receipt> : nullptr;
        calls.trouble = given.trouble ? tell<&ImportOptions::trouble, mk_trouble> : nullptr;
        calls.missing = given.missing ? miss : nullptr;
        auto options = init<mk_import_options>();
        options.flags = given.flags, options.duplicates = given.duplicates, options.format = given.format;
        options.into = detail::at(given.into), options.into_length = given.into.size();
        options.progress = to.call.follow(given.progress), options.events = &calls;
        mk_buffer *report = nullptr;
        mk_status status = of_c(&report, get(), &from, &options, to.call);
        return detail::taken(to.call, status, report);
    }
};

// An archive that does not change; the destructor lets it change again.
class Frozen : public detail::Owner<mk_frozen, mk_frozen_free> {
  public:
    using Owner::Owner;
    // Whether nothing had changed until now; if not, what was copied is no backup.
    bool thaw() {
        detail::Call call;
        std::int32_t held = 0;
        call.check(mk_frozen_thaw(&held, get(), call));
        return held != 0;
    }
};

// An open archive. Close it to learn whether that worked; the destructor closes it otherwise. It outlives its sessions.
class Archive : public detail::Owner<mk_archive, detail::close_quietly> {
  public:
    using Owner::Owner;
    Archive(std::string_view folder, const mk_key &key, mk_open_options options = init<mk_open_options>(),
            const Progress &progress = {})
        : Owner(nullptr) {
        detail::Call call;
        mk_archive *opened = nullptr;
        options.progress = call.follow(progress);
        call.check(mk_archive_open(&opened, folder.data(), folder.size(), &key, &options, call));
        handle_.reset(opened);
    }
    // The program itself, or a person: {"name":"anna","folders":[{"path":"anna"}]}.
    Session session(std::string_view user = {}) const {
        return detail::made_by<Session>(mk_session_begin, get(), detail::at(user), user.size());
    }
    std::string info() const { return detail::text_of(mk_archive_info, get()); }
    // Holds all changes for at most so long, so that the folder can be copied.
    Frozen freeze(std::chrono::milliseconds max) const {
        return detail::made_by<Frozen>(mk_archive_freeze, get(), static_cast<std::uint64_t>(std::max<std::int64_t>(max.count(), 0)));
    }
    void close(const Progress &progress = {}) {
        detail::Call call;
        // In a callback nothing is closed, and the handle stays.
        mk_status status = mk_archive_close(get(), call.follow(progress), call);
        if (status != MK_MISUSE) handle_.release();
        call.check(status);
    }
};

// An archive that is about to be created. Nothing is on disk before `commit`: keep both keys first.
class NewArchive : public detail::Owner<mk_new_archive, mk_new_archive_free> {
  public:
    NewArchive(std::string_view folder, std::string_view owner)
        : Owner(detail::made_by<Owner>(mk_new_archive_begin, folder.data(), folder.size(), owner.data(), owner.size(),
                                       nullptr)) {}
    std::string recovery_key() const { return detail::text_of(mk_new_archive_recovery_key, get()); }
    std::string key_file() const { return detail::text_of(mk_new_archive_key_file, get()); }
    Archive commit() { return detail::made_by<Archive>(mk_new_archive_commit, get()); }
};
} // namespace mailkeep

#endif
