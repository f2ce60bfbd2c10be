using System.Globalization;
using System.Text;

namespace Tlfs.Core.Crdt;

/// <summary>
/// Writes compact JSON. Of a text it escapes what JSON requires and nothing else, as RFC 8785 does; the library's writer escapes more, and what
/// exactly may change with its version.
/// </summary>
internal sealed class JsonText
{
    private readonly StringBuilder _text = new();
    private bool _comma;

    public override string ToString() => _text.ToString();

    public void BeginObject() => Open('{');

    public void EndObject() => Close('}');

    public void BeginArray() => Open('[');

    public void EndArray() => Close(']');

    /// <summary>Writes a member's name; its value comes next.</summary>
    public void Name(string name)
    {
        String(name);
        _text.Append(':');
        _comma = false;
    }

    public void Null() => Item().Append("null");

    public void Bool(bool value) => Item().Append(value ? "true" : "false");

    public void Number(ulong value) => Item().Append(CultureInfo.InvariantCulture, $"{value}");

    public void Number(long value) => Item().Append(CultureInfo.InvariantCulture, $"{value}");

    /// <summary>Writes the shortest digits that read back as an equal number.</summary>
    public void Number(double value) => Item().Append(value.ToString("R", CultureInfo.InvariantCulture));

    public void String(string value) => Quote(Item(), value);

    /// <summary>Writes the value of a put: integers exact, bytes as base64.</summary>
    public void Value(Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Null: Null(); break;
            case ValueKind.Bool: Bool(value.AsBool); break;
            case ValueKind.Unsigned: Number(value.AsUInt64); break;
            case ValueKind.Negative: Number(value.AsInt64); break;
            case ValueKind.Float: Number(value.AsDouble); break;
            case ValueKind.Text: String(value.AsString); break;
            case ValueKind.Bytes: String(Convert.ToBase64String(value.AsBytes)); break;
        }
    }

    /// <summary>The text as a JSON string, quotes included.</summary>
    public static string Quote(string text) => Quote(new(), text).ToString();

    private static StringBuilder Quote(StringBuilder to, string value)
    {
        to.Append('"');
        foreach (var letter in value)
        {
            _ = letter switch
            {
                '"' => to.Append("\\\""),
                '\\' => to.Append("\\\\"),
                '\b' => to.Append("\\b"),
                '\t' => to.Append("\\t"),
                '\n' => to.Append("\\n"),
                '\f' => to.Append("\\f"),
                '\r' => to.Append("\\r"),
                < ' ' => to.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => to.Append(letter),
            };
        }

        return to.Append('"');
    }

    private StringBuilder Item()
    {
        if (_comma) _text.Append(',');
        _comma = true;
        return _text;
    }

    private void Open(char bracket)
    {
        Item().Append(bracket);
        _comma = false;
    }

    private void Close(char bracket)
    {
        _text.Append(bracket);
        _comma = true;
    }
}
