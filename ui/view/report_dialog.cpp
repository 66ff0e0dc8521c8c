#include "ui/view/report_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDate>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>

namespace ui {

namespace {

QString fileNameOf(const QString& title)
{
    QString name = title;
    name.replace(QRegularExpression(QStringLiteral("[^\\w .-]+"),
                                    QRegularExpression::UseUnicodePropertiesOption),
                 "-");
    name = name.simplified().left(60);
    while (name.endsWith(QLatin1Char('.')) || name.endsWith(QLatin1Char('-'))) {
        name.chop(1);
    }
    return name.isEmpty() ? QStringLiteral("report-") + QDate::currentDate().toString(Qt::ISODate)
                          : name;
}

}  // namespace

ReportDialog::ReportDialog(const Session& session, Settings& settings, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
    , m_settings(settings)
{
    setObjectName("reportDialog");
    setWindowTitle(tr("Save a report"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(12);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(8);
    m_title = new QLineEdit(session.title);
    m_title->setObjectName("reportTitle");
    form->addRow(tr("Title"), m_title);
    m_format = new QComboBox;
    m_format->setObjectName("reportFormat");
    for (const ReportFormat& format : reportFormats()) {
        m_format->addItem(format.name, format.suffix);
    }
    form->addRow(tr("Format"), m_format);
    auto* fileRow = new QHBoxLayout;
    fileRow->setSpacing(8);
    m_file = new QLineEdit;
    m_file->setObjectName("reportFile");
    m_file->setMinimumWidth(320);
    auto* choose = new QPushButton(tr("Choose…"));
    choose->setAutoDefault(false);
    fileRow->addWidget(m_file, 1);
    fileRow->addWidget(choose);
    form->addRow(tr("File"), fileRow);
    m_thinking = new QCheckBox(tr("With the model's reasoning"));
    m_thinking->setObjectName("reportThinking");
    form->addRow(QString(), m_thinking);
    m_provenance = new QCheckBox(tr("With provenance: model, settings, tokens, times"));
    m_provenance->setObjectName("reportProvenance");
    m_provenance->setChecked(true);
    form->addRow(QString(), m_provenance);
    column->addLayout(form);
    m_note = new QLabel;
    m_note->setWordWrap(true);
    m_note->setTextFormat(Qt::PlainText);
    m_note->setProperty("kvlRole", "secondary");
    column->addWidget(m_note);
    column->addStretch(1);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch(1);
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setAutoDefault(false);
    m_save = new QPushButton(tr("Save"));
    m_save->setObjectName("reportSave");
    m_save->setDefault(true);
    buttons->addWidget(cancel);
    buttons->addWidget(m_save);
    column->addLayout(buttons);

    connect(choose, &QPushButton::clicked, this, &ReportDialog::browse);
    connect(cancel, &QPushButton::clicked, this, &QDialog::close);
    connect(m_save, &QPushButton::clicked, this, &ReportDialog::save);
    connect(m_format, &QComboBox::currentIndexChanged, this, &ReportDialog::takeFormat);
    connect(m_file, &QLineEdit::textChanged, this, &ReportDialog::check);
    m_file->setText(QDir(settings.folder("report")).filePath(fileNameOf(session.title)));
    takeFormat();
}

void ReportDialog::takeFormat()
{
    const QString suffix = m_format->currentData().toString();
    QString file = m_file->text();
    for (const ReportFormat& format : reportFormats()) {
        if (file.endsWith('.' + format.suffix, Qt::CaseInsensitive)) {
            file.chop(format.suffix.size() + 1);
            break;
        }
    }
    m_file->setText(file + '.' + suffix);
}

void ReportDialog::check()
{
    const QFileInfo file(m_file->text());
    const bool folder = !m_file->text().trimmed().isEmpty() && file.absoluteDir().exists();
    m_save->setEnabled(folder);
    m_save->setText(folder && file.exists() ? tr("Replace") : tr("Save"));
    m_note->setText(
        !folder ? tr("The folder %1 does not exist.").arg(file.absolutePath())
            : file.exists()
            ? tr("A file of this name exists already and will be replaced.")
            : tr("Names and dates in pictures, file names and titles go into the report as "
                 "they are."));
}

void ReportDialog::browse()
{
    auto* dialog = new QFileDialog(this, tr("Save the report as"), m_file->text());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    QStringList filters;
    for (const ReportFormat& format : reportFormats()) {
        filters << QStringLiteral("%1 (*.%2)").arg(format.name, format.suffix);
    }
    dialog->setNameFilters(filters);
    dialog->setDefaultSuffix(m_format->currentData().toString());
    dialog->setOption(QFileDialog::DontConfirmOverwrite);  // this dialog says it
    connect(dialog, &QFileDialog::fileSelected, m_file, &QLineEdit::setText);
    dialog->open();
}

void ReportDialog::save()
{
    m_settings.setFolder("report", QFileInfo(m_file->text()).absolutePath());
    Q_EMIT saveRequested(
        m_session, {m_title->text().trimmed(), m_thinking->isChecked(), m_provenance->isChecked()},
        m_file->text().trimmed());
    close();
}

}  // namespace ui
