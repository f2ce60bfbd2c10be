using System.CommandLine;

namespace Tlfs.Cli.Commands;

/// <summary>Every command of the tool, in the order of the help.</summary>
internal static class CommandList
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> All() =>
    [
        .. ReplicaCommands.All(),
        SchemaCommands.All(),
        GenerateCommands.All(),
        DocCommands.All(),
        .. GrantCommands.All(),
        .. InviteCommands.All(),
        ContactCommands.All(),
        CloudpeerCommands.All(),
        .. SyncCommands.All(),
        .. ExportCommands.All(),
        CompletionCommand.Completion(),
    ];
}
