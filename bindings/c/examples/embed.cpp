// The library embedded: open or create an archive, import a mailbox, search it, save an attachment.
//
// c++ -std=c++17 embed.cpp $(pkg-config --cflags --libs mailkeep) -o embed && ./embed ARCHIVE MBOX QUERY

#include <mailkeep.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

// What follows `"name":` in JSON, from `from` on. A real program uses a JSON library.
static std::string field(const std::string &json, const std::string &name, std::size_t from = 0) {
    std::size_t at = json.find("\"" + name + "\":", from);
    if (at == std::string::npos) return "";
    at += name.size() + 3;
    if (json[at] != '"') return json.substr(at, json.find_first_of(",}]", at) - at);
    std::string text;
    for (at++; at < json.size() && json[at] != '"'; at++) {
        if (json[at] == '\\') at++;
        text += json[at];
    }
    return text;
}

// Text as JSON has it.
static std::string quoted(const std::string &text) {
    std::string json = "\"";
    for (char one : text) {
        if (one == '"' || one == '\\') json += '\\';
        json += one;
    }
    return json + "\"";
}

static void write_file(const std::string &path, const std::string &bytes) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << bytes) || !file.flush()) throw std::runtime_error(path + " is not written");
}

static mailkeep::Archive open_or_create(const std::string &folder) {
    if (std::ifstream file(folder + ".key", std::ios::binary); file) {
        const std::string key(std::istreambuf_iterator<char>(file), {});
        return mailkeep::Archive(folder, mailkeep::key(MK_KEY_FILE, key));
    }
    // Nothing is on disk before the commit: first its keys are kept.
    mailkeep::NewArchive made(folder, "anna");
    std::cerr << "keep this safe: " << made.recovery_key() << "\n";
    write_file(folder + ".key", made.key_file());
    return made.commit();
}

static void save_attachment(const mailkeep::Session &session, mk_message_id id, const std::string &folder) {
    // Fields of an object come in the order of the alphabet: `attachment`, `name`, `number`, `type`.
    const std::string parts = session.parts(id);
    const std::size_t part = parts.find("\"attachment\":true");
    if (part == std::string::npos) return;
    std::ofstream file(folder + ".attachment", std::ios::binary);
    std::size_t bytes = 0;
    session.read_part(id, static_cast<std::uint32_t>(std::stoul(field(parts, "number", part))), [&](std::string_view piece) {
        bytes += piece.size();
        return static_cast<bool>(file << piece);
    });
    if (!file.flush()) throw std::runtime_error("the attachment is not written");
    const std::string name = field(parts, "name", part);
    std::cout << "saved " << (name == "null" ? "an attachment" : name) << " of " << mailkeep::print(id) << ", " << field(parts, "type", part) << ", "
              << bytes << " bytes\n";
}

static void run(const std::string &folder, const std::string &mailbox, const std::string &query) {
    mailkeep::Archive archive = open_or_create(folder);
    mailkeep::Session session = archive.session();

    mailkeep::ImportOptions options;
    options.progress.report = [](const mk_step &step) {
        std::cerr << "\r" << mailkeep::view(step.activity) << ": " << step.done << " of " << step.total << " bytes";
        return true;
    };
    const std::string report = session.import(mailbox, options);
    std::cerr << "\n";
    std::cout << "read " << field(report, "read") << " = stored " << field(report, "stored") << " + duplicate "
              << field(report, "duplicate") << " + failed " << field(report, "failed") << "\n";

    const mailkeep::Page found = session.search("{\"limit\":10,\"query\":" + quoted(query) + "}");
    std::cout << found.size() << " of " << found.info().total << " hits\n";
    const mk_message *with_attachment = nullptr;
    for (const mk_message &hit : found) {
        std::cout << mailkeep::print(hit.id) << "\t" << mailkeep::view(hit.folder) << "\t" << hit.bytes << "\t"
                  << mailkeep::view(hit.subject) << "\n";
        if (with_attachment == nullptr && hit.attachments > 0) with_attachment = &hit;
    }
    if (with_attachment != nullptr) save_attachment(session, with_attachment->id, folder);
    archive.close();
}

int main(int argc, char **argv) {
    if (argc != 4) {
        std::cerr << "usage: embed ARCHIVE MBOX QUERY\n";
        return 2;
    }
    try {
        run(argv[1], argv[2], argv[3]);
    } catch (const std::exception &error) {
        std::cerr << "\nerror: " << error.what() << "\n";
        return 1;
    }
    return std::cout.flush() ? 0 : 1;
}
