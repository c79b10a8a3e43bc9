// Mails that tests archive.
using System;
using System.IO;
using System.Text;

static class Mails
{
    /// <summary>The bytes of the attachment of a mail.</summary>
    public static byte[] Attachment(int number)
    {
        var bytes = new byte[1000 + number % 300];
        new Random(number).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A mail with text in several scripts and an attachment of random bytes.</summary>
    public static byte[] Mail(int number) => Encoding.UTF8.GetBytes(
        $"From: Anna Müller <anna@example.org>\r\nTo: Bert <bert@example.com>\r\nSubject: Rechnung {number} für café 📮\r\n" +
        $"Date: Mon, 6 Jan 2020 10:{number / 60 % 60:00}:{number % 60:00} +0000\r\nMessage-ID: <{number}@example.org>\r\n" +
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"border\"\r\n\r\n" +
        $"--border\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nzahl{number} invoice привет 日本語\r\n" +
        $"--border\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"data{number}.bin\"\r\n" +
        "Content-Transfer-Encoding: base64\r\n\r\n" +
        Convert.ToBase64String(Attachment(number), Base64FormattingOptions.InsertLineBreaks) + "\r\n--border--\r\n");

    /// <summary>An mbox of the mails from one number to before another.</summary>
    public static byte[] Mbox(int from, int to)
    {
        var mbox = new MemoryStream();
        var line = Encoding.ASCII.GetBytes("From anna@example.org Mon Jan  6 10:00:00 2020\n");
        for (int number = from; number < to; number++)
        {
            var mail = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Mail(number)).Replace("\r\n", "\n"));
            mbox.Write(line, 0, line.Length);
            mbox.Write(mail, 0, mail.Length);
            mbox.WriteByte((byte)'\n');
        }
        return mbox.ToArray();
    }

    public static string MboxFile(int from, int to)
    {
        string path = Tests.NewPath("inbox.mbox");
        File.WriteAllBytes(path, Mbox(from, to));
        return path;
    }

    /// <summary>A mail above 16 MiB, which is read by a thread of the library.</summary>
    public static byte[] Large()
    {
        var text = new StringBuilder("From: anna@example.org\r\nSubject: large\r\nContent-Type: text/plain\r\n\r\n");
        for (int line = 0; text.Length < 18 << 20; line++) text.Append("line ").Append(line).Append(" of a large mail\r\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
