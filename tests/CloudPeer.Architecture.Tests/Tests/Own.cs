using CloudPeer.Architecture.Tests.Sources;

namespace CloudPeer.Architecture.Tests;

/// <summary>This project's own files hold the bad examples and the words that the rules look for, so rules about words leave them out.</summary>
internal static class Own
{
    public static bool IsNot(SourceText file) => file.Area is not "tests" || file.Project is not "CloudPeer.Architecture.Tests";
}
