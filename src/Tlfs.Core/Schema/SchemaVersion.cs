using System.Globalization;

namespace Tlfs.Core.Schema;

/// <summary>The label of a schema version, for people: three numbers, compared one after the other. Its identity is the hash of its lens list.</summary>
/// <param name="Major">The first number.</param>
/// <param name="Minor">The second number.</param>
/// <param name="Patch">The third number.</param>
public readonly record struct SchemaVersion(uint Major, uint Minor, uint Patch) : IComparable<SchemaVersion>
{
    /// <summary>Reads <c>a.b.c</c>: decimal digits without sign and without leading zeros.</summary>
    public static bool TryParse(string text, out SchemaVersion version)
    {
        version = default;
        var parts = text.Length <= 32 ? text.Split('.') : [];
        if (parts.Length != 3 || !TryNumber(parts[0], out var major) || !TryNumber(parts[1], out var minor) || !TryNumber(parts[2], out var patch))
            return false;
        version = new(major, minor, patch);
        return true;
    }

    /// <inheritdoc />
    public int CompareTo(SchemaVersion other)
    {
        var order = Major.CompareTo(other.Major);
        if (order == 0) order = Minor.CompareTo(other.Minor);
        return order == 0 ? Patch.CompareTo(other.Patch) : order;
    }

    /// <summary>The text <c>a.b.c</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{Patch}");

    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && (text.Length == 1 || text[0] != '0');
}
