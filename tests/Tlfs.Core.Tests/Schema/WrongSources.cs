namespace Tlfs.Core.Tests.Schema;

/// <summary>A source that does not compile.</summary>
/// <param name="Marked">The source; <c>¦</c> marks where the error is and does not belong to it.</param>
/// <param name="Text">What the error says.</param>
/// <param name="Suggestion">What it suggests.</param>
internal sealed record WrongSource(string Marked, string Text, string Suggestion);

/// <summary>What people get wrong in <c>.tlfs</c> sources, and what the compiler answers.</summary>
internal static partial class WrongSources
{
    public static IReadOnlyList<WrongSource> All => field ??= [.. Texts, .. Types, .. Rules];

    private static string Deep(int depth) => string.Concat(Enumerable.Repeat(".a", depth));
}
