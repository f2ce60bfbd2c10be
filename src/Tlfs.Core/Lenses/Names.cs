namespace Tlfs.Core.Lenses;

/// <summary>Names of schemas and fields (docs/protocol/operations.md §2.5).</summary>
public static class Names
{
    /// <summary>True for <c>[A-Za-z_][A-Za-z0-9_]*</c> of at most <see cref="Limits.NameBytes"/> bytes.</summary>
    public static bool IsValid(string name)
    {
        if (name.Length is 0 or > Limits.NameBytes || !IsStart(name[0])) return false;
        foreach (var letter in name)
            if (!IsPart(letter)) return false;
        return true;
    }

    /// <summary>True for a character that may begin a name.</summary>
    public static bool IsStart(char letter) => char.IsAsciiLetter(letter) || letter == '_';

    /// <summary>True for a character that may stand in a name.</summary>
    public static bool IsPart(char letter) => char.IsAsciiLetterOrDigit(letter) || letter == '_';
}
