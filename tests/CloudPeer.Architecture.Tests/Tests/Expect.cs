using Xunit;

namespace CloudPeer.Architecture.Tests;

/// <summary>The two things that a test says about a rule.</summary>
internal static class Expect
{
    /// <summary>The repository obeys the rule; otherwise every violation is listed.</summary>
    public static void None(IEnumerable<string> violations)
    {
        var found = violations.ToList();
        Assert.True(found.Count == 0, string.Join('\n', found.Prepend($"{found.Count} violation(s):")));
    }

    /// <summary>The rule finds exactly one violation in a bad example, and says this.</summary>
    public static void One(IEnumerable<string> violations, string saying) => Assert.Contains(saying, Assert.Single(violations), StringComparison.Ordinal);
}
