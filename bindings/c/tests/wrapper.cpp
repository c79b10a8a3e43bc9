// mailkeep.hpp: what it gives is what was archived, callbacks may throw, and nothing is left: wrapper WORK

#include <mailkeep.hpp>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <thread>

static int failed = 0;

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::cout << __FILE__ << ":" << __LINE__ << ": not so: " #condition "\n";    \
            failed++;                                                                    \
        }                                                                                \
    } while (0)

struct Thrown : std::exception {};

template <class Expected, class F> static bool throws(F &&call) {
    try {
        call();
    } catch (const Expected &) {
        return true;
    }
    return false;
}

template <class F> static mk_status status_of(F &&call) {
    try {
        call();
    } catch (const mailkeep::Error &error) {
        CHECK(std::strlen(error.what()) > 0 && error.json().front() == '{');
        return error.status();
    }
    return MK_OK;
}

static void use(const std::string &folder) {
    mailkeep::NewArchive made(folder, "anna");
    CHECK(!made.recovery_key().empty());
    const std::string key = made.key_file();
    mailkeep::Archive archive = made.commit();
    CHECK(status_of([&] { mailkeep::Archive again(folder, mailkeep::key(MK_KEY_FILE, key)); }) == MK_IN_USE);
    mailkeep::Session session = archive.session();
    const std::string mail = "From: a@example.org\nSubject: One\n\nA word.\n";
    const mk_receipt receipt = session.import_one(mail, "anna/in");
    CHECK(session.raw(receipt.id) == mail);
    CHECK(mailkeep::print(receipt.id) == "1:0");

    const mk_message_id second = session.import_one("Subject: Two\n\nA word.\n", "anna/in").id;
    session.remove({second}, "a test");
    CHECK(session.compact().find("\"left\":[]") != std::string::npos);
    CHECK(status_of([&] { session.undelete({second}, "a test"); }) == MK_NO_SUCH_MESSAGE);

    CHECK(session.create_store("second") == 2 && session.import_one("Subject: Three\n\nA word.\n", "anna/in").id >> 32 == 2);
    session.rename_store(2, "two");
    session.set_store_state(1, MK_STORE_CURRENT);
    CHECK(status_of([&] { session.create_store("two"); }) == MK_STORE_EXISTS);
    CHECK(session.stores(MK_STORES_STATS).find("\"name\":\"two\"") != std::string::npos);
    CHECK(session.compact_store(2, MK_COMPACT_DRY_RUN).find("\"left\":[]") != std::string::npos);
    CHECK(session.retry_open_stores().find("\"items\":[]") != std::string::npos);
    session.set_store_rule("monthly");
    CHECK(session.store_rule() == "monthly");
    session.detach_store(2);
    auto dirs = mailkeep::init<mk_store_dirs>();
    const std::string second_dir = folder + "/stores/2";
    dirs.dir = second_dir.data(), dirs.dir_length = second_dir.size();
    CHECK(session.attach_store("again", dirs) == 2);
    session.set_store_state(2, MK_STORE_DISABLED);
    session.set_store_dirs(2, dirs);
    session.detach_store(2);

    mailkeep::Frozen frozen = archive.freeze(std::chrono::hours(1));
    CHECK(session.raw(receipt.id) == mail && frozen.thaw());
    CHECK(status_of([&] { frozen.thaw(); }) == MK_MISUSE);
    CHECK(!archive.freeze(std::chrono::milliseconds(0)).thaw());

    // A stream of three mails, read by a function.
    std::string mbox;
    for (int number = 0; number < 3; number++)
        mbox += "From a Mon Jan  1 00:00:00 2024\nSubject: " + std::to_string(number) + "\n\nA word.\n\n";
    std::size_t at = 0;
    auto source = [&](char *data, std::size_t length) {
        std::size_t taken = std::min(length, mbox.size() - at);
        std::memcpy(data, mbox.data() + at, taken);
        at += taken;
        return taken;
    };
    mailkeep::ImportOptions options;
    int receipts = 0;
    options.receipt = [&](const mk_receipt &) { return ++receipts > 0; };
    CHECK(session.import(source, "s.mbox", options).find("\"stored\":3") != std::string::npos && receipts == 3);
    // Exceptions of the source, of an event and of a sink come out of the call.
    CHECK(throws<Thrown>([&] { session.import([](char *, std::size_t) -> std::size_t { throw Thrown(); }, "t.mbox"); }));
    at = 0;
    options.receipt = [](const mk_receipt &) -> bool { throw Thrown(); };
    CHECK(throws<Thrown>([&] { session.import(source, "s.mbox", options); }));
    CHECK(throws<Thrown>([&] { session.read(receipt.id, [](std::string_view) -> bool { throw Thrown(); }); }));
    CHECK(status_of([&] { session.read(receipt.id, [](std::string_view) { return false; }); }) == MK_CALLBACK);
    mailkeep::Progress progress;
    progress.report = [](const mk_step &) -> bool { throw Thrown(); };
    CHECK(throws<Thrown>([&] { session.verify(MK_VERIFY_EVERYTHING, progress); }));
    progress.report = [&](const mk_step &) { return archive.close(), true; };
    CHECK(status_of([&] { session.verify(MK_VERIFY_EVERYTHING, progress); }) == MK_MISUSE);
    mailkeep::Cancel cancel;
    std::thread([&] { cancel.now(); }).join();
    progress = {nullptr, cancel.get()};
    CHECK(status_of([&] { session.stats(progress); }) == MK_STOPPED);

    std::size_t seen = 0;
    mailkeep::Search search = session.begin_search("{\"query\":\"word\",\"limit\":3}");
    while (auto page = search.next())
        for (const mk_message &message : *page) seen += message.id == receipt.id || message.bytes > 0;
    CHECK(seen == 4);
    CHECK(session.search("{\"query\":\"word\"}").info().total == 4 && session.messages("").size() == 4);
    CHECK(session.folders().folders().size() == 3);
    CHECK(status_of([&] { session.search("{\"query\":\"before:never\"}"); }) == MK_QUERY);
    char piece[7];
    std::string read;
    mailkeep::Stream stream = session.stream(receipt.id);
    while (std::size_t length = stream.read(piece, sizeof piece)) read.append(piece, length);
    CHECK(read == mail);
    archive.close();
    CHECK(status_of([&] { session.raw(receipt.id); }) == MK_BAD_HANDLE);
    mailkeep::Archive again(folder, mailkeep::key(MK_KEY_FILE, key));
    CHECK(again.info().find("\"owner\":\"anna\"") != std::string::npos);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    use(std::string(argv[1]) + "/wrapper");
    std::uint64_t handles = 1;
    CHECK(mk_library_handles(&handles, nullptr) == MK_OK && handles == 0);
    if (failed == 0) std::cout << "the C++ wrapper\n";
    return failed == 0 ? 0 : 1;
}
