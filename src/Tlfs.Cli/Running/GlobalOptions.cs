using System.CommandLine;

namespace Tlfs.Cli.Running;

/// <summary>The options that every command takes, before or after its name.</summary>
internal static class GlobalOptions
{
    /// <summary>The replica's folder.</summary>
    public static readonly Option<string?> Home = new("--home")
    {
        Description = "The replica's folder (default: $TLFS_HOME, else the user's data folder).",
        HelpName = "DIR",
        Recursive = true,
    };

    /// <summary>Machine output.</summary>
    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Machine output: one JSON object per line on standard output, nothing else there.",
        Recursive = true,
    };

    /// <summary>Results only.</summary>
    public static readonly Option<bool> Quiet = new("--quiet") { Description = "Results only: no advice and no progress.", Recursive = true };

    /// <summary>Allows plain http to other machines.</summary>
    public static readonly Option<bool> Insecure = new("--insecure")
    {
        Description = "Allow http:// to other machines. Documents stay sealed; who talks to whom can be seen.",
        Recursive = true,
    };
}
