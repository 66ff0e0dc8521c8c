#pragma once

#include <QString>

#include <stdexcept>

namespace ui {

/// A sentence that can be shown to the user.
class Error : public std::runtime_error {
public:
    explicit Error(const QString& sentence)
        : std::runtime_error(sentence.toStdString())
    {
    }
    QString sentence() const { return QString::fromUtf8(what()); }
};

/// What does not open, and why.
class DocumentError : public Error {
public:
    using Error::Error;
};

/// The document is encrypted; open it again with a password (`OpenOptions::password`).
class PasswordNeeded : public DocumentError {
public:
    using DocumentError::DocumentError;
};

}  // namespace ui
