using System.Globalization;

namespace CloudPeer.Bench.Compare;

/// <summary><c>compare ENGINE PHASE TASKS FOLDER</c>: one phase of the work in this process, as <c>bench/compare.sh</c> asks for it.</summary>
internal static class CompareCommand
{
    /// <summary>Runs it; false if the arguments are none of its.</summary>
    public static async Task<bool> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments.Count != 4 || !int.TryParse(arguments[2], CultureInfo.InvariantCulture, out var tasks)) return false;
        switch (arguments[0], arguments[1])
        {
            case ("cloudpeer-core", "write"): CoreCompare.Write(tasks); break;
            case ("cloudpeer-core", "merge"): CoreCompare.Merge(tasks); break;
            case ("cloudpeer", "write"): await new ClientCompare(tasks, arguments[3]).WriteAsync(); break;
            case ("cloudpeer", "load"): await new ClientCompare(tasks, arguments[3]).LoadAsync(); break;
            default: return false;
        }

        return true;
    }
}
