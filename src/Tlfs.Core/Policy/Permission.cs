using System.Diagnostics.CodeAnalysis;

namespace Tlfs.Core.Policy;

/// <summary>What a grant allows; each includes those below it (docs/protocol/statements.md §1). The values are those on the wire.</summary>
[SuppressMessage("Naming", "CA1711", Justification = "The suffix was reserved for code access security, which no longer exists; it is the protocol's word.")]
public enum Permission
{
    /// <summary>May fetch headers and ciphertext.</summary>
    Sync = 0,
    /// <summary>May hold the keys.</summary>
    Read = 1,
    /// <summary>May change the document.</summary>
    Write = 2,
    /// <summary>May grant up to <see cref="Write"/> and revoke what it outranks.</summary>
    Control = 3,
    /// <summary>May grant up to <see cref="Own"/>.</summary>
    Own = 4,
}

/// <summary>The text forms of a <see cref="Permission"/>: its name in lower case.</summary>
public static class PermissionText
{
    private static readonly string[] Names = ["sync", "read", "write", "control", "own"];

    /// <summary>The name, such as <c>write</c>.</summary>
    public static string ToText(this Permission permission) => Names[(int)permission];

    /// <summary>Reads <see cref="ToText"/> back; false for anything else.</summary>
    public static bool TryParse(string? text, out Permission permission)
    {
        var index = Array.IndexOf(Names, text);
        permission = (Permission)Math.Max(index, 0);
        return index >= 0;
    }
}
