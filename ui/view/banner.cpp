#include "ui/view/banner.h"

#include "ui/view/icons.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>

#include <algorithm>

namespace ui {

namespace {

constexpr int kShown = 3, kKept = 100;

}  // namespace

Banner::Banner(Kind kind, const QString& sentence, QWidget* parent)
    : QFrame(parent)
    , m_sentence(sentence)
{
    static const char* const roles[] = {"banner-info", "banner-warning", "banner-error"};
    static const char* const icons[] = {"dialog-information", "dialog-warning", "dialog-error"};
    setObjectName("banner");
    setProperty("kvlRole", roles[int(kind)]);
    m_row = new QHBoxLayout(this);
    m_row->setContentsMargins(12, 8, 8, 8);
    m_row->setSpacing(8);
    auto* sign = new QLabel;
    sign->setPixmap(icon(icons[int(kind)]).pixmap(22, 22));
    m_row->addWidget(sign, 0, Qt::AlignTop);
    auto* text = new QLabel(sentence);
    text->setObjectName("bannerText");
    text->setTextFormat(Qt::PlainText);
    text->setWordWrap(true);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_row->addWidget(text, 1);
    auto* close = new QToolButton;
    close->setObjectName("bannerClose");
    close->setText(QStringLiteral("✕"));
    close->setProperty("kvlRole", "secondary");
    close->setToolTip(tr("Close this message"));
    connect(close, &QToolButton::clicked, this, &Banner::closed);
    m_row->addWidget(close, 0, Qt::AlignTop);
}

void Banner::addButton(const QString& text, const std::function<void()>& run)
{
    auto* button = new QPushButton(text);
    connect(button, &QPushButton::clicked, this, [this, run] {
        run();
        Q_EMIT closed();
    });
    m_row->insertWidget(m_row->count() - 1, button, 0, Qt::AlignTop);
}

void Banner::addPassword(const QString& text, const std::function<void(const QString&)>& run)
{
    m_field = new QLineEdit;
    m_field->setAcceptDrops(false);  // files go to the window
    m_field->setObjectName("bannerPassword");
    m_field->setEchoMode(QLineEdit::Password);
    m_field->setPlaceholderText(tr("Password"));
    m_field->setMaximumWidth(200);
    connect(m_field, &QLineEdit::returnPressed, this, [this, run] {
        run(m_field->text());
        Q_EMIT closed();
    });
    m_row->insertWidget(m_row->count() - 1, m_field, 0, Qt::AlignTop);
    addButton(text, [this, run] { run(m_field->text()); });
    setFocusProxy(m_field);
}

BannerArea::BannerArea(QWidget* parent)
    : QWidget(parent)
    , m_column(new QVBoxLayout(this))
    , m_rest(new QWidget(this))
    , m_count(new QLabel(m_rest))
{
    setObjectName("banners");
    m_column->setContentsMargins(8, 8, 8, 8);
    m_column->setSpacing(8);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    m_count->setObjectName("bannerCount");
    m_count->setProperty("kvlRole", "secondary");
    auto* all = new QPushButton(tr("Close all"));
    all->setObjectName("bannerCloseAll");
    connect(all, &QPushButton::clicked, this, &BannerArea::clear);
    auto* row = new QHBoxLayout(m_rest);
    row->setContentsMargins(12, 0, 8, 0);
    row->addWidget(m_count, 1);
    row->addWidget(all);
    m_column->addWidget(m_rest);
    hide();
}

Banner* BannerArea::show(Banner::Kind kind, const QString& sentence)
{
    const QList<Banner*> before = m_banners;
    for (Banner* banner : before) {
        if (banner->sentence() == sentence) {
            drop(banner);
        }
    }
    while (m_banners.size() >= kKept) {
        drop(m_banners.first());
    }
    auto* banner = new Banner(kind, sentence);
    connect(banner, &Banner::closed, this, [this, banner] { drop(banner); });
    m_banners.append(banner);
    m_column->insertWidget(m_column->count() - 1, banner);
    arrange();
    return banner;
}

QStringList BannerArea::sentences() const
{
    QStringList all;
    for (const Banner* banner : m_banners) {
        all << banner->sentence();
    }
    return all;
}

void BannerArea::clear()
{
    const QList<Banner*> before = m_banners;
    for (Banner* banner : before) {
        drop(banner);
    }
}

void BannerArea::drop(Banner* banner)
{
    m_banners.removeOne(banner);
    banner->hide();
    banner->deleteLater();
    arrange();
}

void BannerArea::arrange()
{
    const auto hidden = std::max<qsizetype>(m_banners.size() - kShown, 0);
    for (qsizetype i = 0; i < m_banners.size(); ++i) {
        m_banners[i]->setVisible(i >= hidden);
    }
    m_count->setText(hidden == 1 ? tr("1 earlier message") : tr("%1 earlier messages").arg(hidden));
    m_rest->setVisible(hidden > 0);
    setVisible(!m_banners.isEmpty());
}

}  // namespace ui
