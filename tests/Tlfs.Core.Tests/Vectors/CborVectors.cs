using Tlfs.Core.Encoding;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>RFC 8949: which encodings of appendix A, and which wrong ones, the canonical reader accepts; what it accepts is written back the same.</summary>
public sealed class CborVectors
{
    [Fact]
    public void Appendix_A_is_accepted_as_far_as_it_is_deterministic()
    {
        var lines = VectorFile.Lines("rfc8949-appendix-a.txt");
        Assert.Equal(82, lines.Count);
        Assert.Equal(46, lines.Count(line => line[1] is "accept"));
        foreach (var line in lines) Assert.True(line[1] is "accept" == Accepts(VectorFile.Bytes(line[0])), line[0]);
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("1817", "an integer that fits a shorter form")]
    [InlineData("190018", "an integer that fits a shorter form")]
    [InlineData("1a0000ffff", "an integer that fits a shorter form")]
    [InlineData("1b00000000ffffffff", "an integer that fits a shorter form")]
    [InlineData("3817", "a negative integer that fits a shorter form")]
    [InlineData("580101", "a length that fits a shorter form")]
    [InlineData("780161", "a length that fits a shorter form")]
    [InlineData("980100", "a length that fits a shorter form")]
    [InlineData("b8010000", "a length that fits a shorter form")]
    [InlineData("a203040102", "keys that descend")]
    [InlineData("a201020103", "a key twice")]
    [InlineData("a1181800", "a key above 23")]
    [InlineData("a12000", "a negative key")]
    [InlineData("fa3fc00000", "a number that fits 16 bits")]
    [InlineData("fb3ff8000000000000", "a number that fits 16 bits")]
    [InlineData("fb40f86a0000000000", "a number that fits 32 bits")]
    [InlineData("f97e01", "another NaN")]
    [InlineData("62c328", "text that is not UTF-8")]
    [InlineData("63eda080", "a surrogate in text")]
    [InlineData("0000", "bytes after the value")]
    [InlineData("8201", "an array that ends early")]
    [InlineData("5b7fffffffffffffff00", "a string longer than the input")]
    [InlineData("9b7fffffffffffffff00", "an array longer than the input")]
    [InlineData("1c", "a reserved length")]
    [InlineData("ff", "a break without a beginning")]
    public void Other_forms_are_refused(string hex, string what) => Assert.False(Accepts(Convert.FromHexString(hex)), what);

    private static bool Accepts(byte[] bytes)
    {
        var writer = new CanonicalWriter();
        var accepted = Canonical.TryDecode(
            bytes,
            1 << 16,
            reader =>
            {
                Copy(reader, writer);
                return true;
            },
            out _,
            out _);
        if (accepted) Assert.Equal(bytes, writer.ToArray());
        return accepted;
    }

    private static void Copy(CanonicalReader reader, CanonicalWriter writer)
    {
        switch (reader.Peek())
        {
            case CanonicalKind.UInt: writer.UInt(reader.UInt()); break;
            case CanonicalKind.NegativeInt: writer.Int(reader.Int()); break;
            case CanonicalKind.Bytes: writer.Bytes(reader.Bytes(1 << 16)); break;
            case CanonicalKind.Text: writer.Text(reader.Text(1 << 16)); break;
            case CanonicalKind.Bool: writer.Bool(reader.Bool()); break;
            case CanonicalKind.Double: writer.Double(reader.Double()); break;
            case CanonicalKind.Array: CopyArray(reader, writer); break;
            case CanonicalKind.Map: CopyMap(reader, writer); break;
            case CanonicalKind.Null:
                reader.Null();
                writer.Null();
                break;
            default: CanonicalReader.Fail("a kind that the protocol does not use"); break;
        }
    }

    private static void CopyArray(CanonicalReader reader, CanonicalWriter writer)
    {
        var count = reader.BeginArrayUpTo(1 << 16);
        writer.BeginArray(count);
        for (; count > 0; count--) Copy(reader, writer);
        reader.EndArray();
        writer.EndArray();
    }

    private static void CopyMap(CanonicalReader reader, CanonicalWriter writer)
    {
        var count = reader.BeginMap();
        writer.BeginMap(count);
        for (; count > 0; count--)
        {
            writer.Key(reader.Key());
            Copy(reader, writer);
        }

        reader.EndMap();
        writer.EndMap();
    }
}
