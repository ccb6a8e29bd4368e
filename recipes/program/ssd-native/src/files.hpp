// Files that are read whole, and files that are there when they are complete.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "weights.hpp"

namespace ssd {

// A file open for reading; throws Error.
class File {
public:
    explicit File(const std::string& path);
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    std::FILE* get() const { return file_; }

private:
    std::FILE* file_;
};

// A file that appears under its name when `finish` is called, and not at all when it is not. The
// name `-` stands for standard output, to which all is written at the end.
class NewFile {
public:
    explicit NewFile(std::string path);
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();

    void write(const std::string& text);
    void finish();

private:
    [[noreturn]] void fail() const;

    std::string path_, part_, held_;
    std::FILE* file_ = nullptr;
};

// Throws Error for a file that cannot be read or has more than 1 GiB.
std::string read_text(const std::string& path);

// The file itself, or the PNG and JPEG files right in a folder, by name. Throws Error where there
// is no such file, or none in the folder.
std::vector<std::string> list_images(const std::string& path);

bool is_folder(const std::string& path);

// The last part of a path.
std::string base_name(const std::string& path);

}  // namespace ssd
